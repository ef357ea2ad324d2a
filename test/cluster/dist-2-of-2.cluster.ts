/** Every claim about the clusters of dist, on the second, fourth, … control plane of the run. */
import { judgeShare } from './suite';

judgeShare(1, 2);
