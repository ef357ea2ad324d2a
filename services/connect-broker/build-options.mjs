/**
 * How the broker's program is bundled, for the image (build.mjs) and for the bench, which measures what the image runs.
 * It deliberately names neither what is bundled nor where it is written.
 */
export const programOptions = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['source'],
  // Chunks stay beside main.mjs, because the program finds its files from where its code is.
  chunkNames: '[name]-[hash]',
  outExtension: { '.js': '.mjs' },
  external: ['@node-rs/argon2', '@electric-sql/pglite', 'esbuild', 'pg-native'],
  // What is written as CommonJS loads Node's own modules by require.
  banner: { js: "import { createRequire as nodeCreateRequire } from 'node:module'; const require = nodeCreateRequire(import.meta.url);" },
  sourcemap: true,
  minify: false,
  logLevel: 'warning',
};
