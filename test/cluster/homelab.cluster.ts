/** Every claim about dist/homelab. */
import { judgeCluster } from './suite';

judgeCluster('homelab');
