/**
 * The generated files below terraform/clusters as a tree to compare and write, and the root module that a new cluster begins with.
 * It deliberately leaves everything else there alone: main.tf, a backend, the operator's own variables and Terraform's state are theirs.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { VARIABLES_FILE } from './variables';

/** The root module that a new cluster gets a copy of. */
const MODEL = 'homelab';
const COPIED = ['main.tf', 'variables.tf', 'outputs.tf', '.terraform.lock.hcl'];

/** Generated files as they are on disk, by path below `directory`. Reads no other file: Terraform keeps providers of a hundred megabytes beside them. */
export function readVariables(directory: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const cluster of folders(directory)) {
    const file = path.join(directory, cluster, VARIABLES_FILE);
    if (existsSync(file)) files.set(`${cluster}/${VARIABLES_FILE}`, readFileSync(file, 'utf8'));
  }
  return files;
}

/** Gives clusters without a root module a copy of the model's; never touches one that is there. @returns the folders that got one, below `directory` */
export function addRootModules(directory: string, clusters: readonly string[]): string[] {
  const model = path.join(directory, MODEL);
  const missing = clusters.filter((name) => name !== MODEL && !hasModule(path.join(directory, name)) && hasModule(model));
  for (const name of missing) {
    mkdirSync(path.join(directory, name), { recursive: true });
    for (const file of COPIED)
      if (existsSync(path.join(model, file))) copyFileSync(path.join(model, file), path.join(directory, name, file));
  }
  return missing;
}

function hasModule(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.tf'));
}

function folders(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
