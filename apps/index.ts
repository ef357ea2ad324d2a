/** The clusters that a synth writes, one line each. */
import { homelab } from './homelab';
import { local } from './local';

export const clusters = [homelab, local];
