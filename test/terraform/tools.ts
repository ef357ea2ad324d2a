/**
 * The programs that run terraform/ in tests, and a copy of the project's files for them to work in.
 * It deliberately downloads nothing: providers come from a filesystem mirror that test/terraform/build-tools.sh makes.
 */
import { type ExecFileException, execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A program that runs Terraform's language. */
export interface Tool {
  readonly name: 'terraform' | 'tofu';
  readonly program: string;
}

/** Those that are here: `terraform` in the PATH, and `TOFU` or `tofu` in the PATH. */
export function tools(): Tool[] {
  const candidates: Tool[] = [
    { name: 'terraform', program: process.env.TERRAFORM ?? 'terraform' },
    { name: 'tofu', program: process.env.TOFU ?? 'tofu' },
  ];
  return candidates.filter(({ program }) => answers(program, ['version', '-json']));
}

/** Why nothing of terraform/ can be run here, as the end of a sentence, or undefined. TERRAFORM_REQUIRED makes it an error instead. */
export function missingForTerraform(): string | undefined {
  const missing =
    tools().length === 0
      ? 'neither terraform nor tofu is installed'
      : process.env.TERRAFORM_MIRROR
        ? undefined
        : 'TERRAFORM_MIRROR names no mirror of the provider (test/terraform/build-tools.sh makes one)';
  if (missing && process.env.TERRAFORM_REQUIRED) throw new Error(`TERRAFORM_REQUIRED is set, but ${missing}.`);
  return missing;
}

/** The helm program. */
export const helm = (): string => process.env.HELM ?? 'helm';

export function answers(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', env: quiet() });
    return true;
  } catch {
    return false;
  }
}

/** An environment without the machine's own settings of Terraform. */
function quiet(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:TF_|KUBE)/.test(name));
  return { ...Object.fromEntries(kept), CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };
}

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Files of the project in a folder of its own, with one place to run commands in. */
export class Workspace {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'terraform-'));
  private readonly configuration = path.join(this.folder, 'terraform.rc');

  constructor(private readonly tool: Tool) {
    for (const name of readdirSync('terraform'))
      cpSync(path.join('terraform', name), path.join(this.folder, 'terraform', name), {
        recursive: true,
        // The lock file has the hashes of upstream's builds, which the mirror's is not; nobody's state or providers come along.
        filter: (from) => !/(?:\.terraform|\.terraform\.lock\.hcl|\.tfstate.*|terraform\.tfvars)$/.test(from),
      });
    writeFileSync(
      this.configuration,
      `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(process.env.TERRAFORM_MIRROR)}\n  }\n}\n`,
    );
  }

  /** Absolute path of a file or folder of the copy. */
  path(...names: readonly string[]): string {
    return path.join(this.folder, ...names);
  }

  write(file: string, text: string, mode = 0o644): string {
    mkdirSync(path.dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text, { mode });
    return this.path(file);
  }

  /** Runs the tool in a folder of the copy. @param env variables beside those of the machine */
  run(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Result> {
    return new Promise((resolve) => {
      const options = { cwd: this.path(folder), env: { ...quiet(), TF_CLI_CONFIG_FILE: this.configuration, ...env }, maxBuffer: 1 << 26 };
      execFile(this.tool.program, [...args], options, (error: ExecFileException | null, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      );
    });
  }

  /** As `run`, for what must not fail. @throws Error with what the tool said */
  async must(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(folder, args, env);
    if (code !== 0) throw new Error(`${this.tool.name} ${args.join(' ')} failed (${code}):\n${stdout}\n${stderr}`);
    return stdout;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A tool's message on one line: it wraps sentences and draws a frame around them. */
export function flat(text: string): string {
  return text.replace(/[│╷╵]/g, ' ').replace(/\s+/g, ' ');
}
