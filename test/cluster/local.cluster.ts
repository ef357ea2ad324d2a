/** Every claim about dist/local. */
import { judgeCluster } from './suite';

judgeCluster('local');
