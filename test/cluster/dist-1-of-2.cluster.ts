/** Every claim about the clusters of dist, on the first, third, … control plane of the run. */
import { judgeShare } from './suite';

judgeShare(0, 2);
