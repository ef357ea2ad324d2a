/** Types of build-options.mjs, which Node runs as it is. */
import type { BuildOptions } from 'esbuild';

export declare const programOptions: BuildOptions & { bundle: true };
