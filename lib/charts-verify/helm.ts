/**
 * Helm as a program: fetches a chart or takes an unpacked one, renders it as Argo CD would, and reads what the chart says of its values.
 * It deliberately judges nothing, and writes nothing but its own temporary folder.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import type { ChartVersion } from '../../versions';
import type { ChartSource } from './values';

const run = promisify(execFile);
/** The CRDs of prometheus-operator are 4 MB of YAML; Node's default limit is 1 MB. */
const MOST_OUTPUT = 256 * 1024 * 1024;

/** Something that Helm could not do; the message says what and what to do about it. */
export class HelmError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HelmError';
  }
}

export interface RenderOptions {
  /** Name of the release. */
  readonly name: string;
  readonly namespace: string;
  /** Kubernetes version that templates see, such as `1.34.0`. */
  readonly kubeVersion: string;
  /** What templates see as the cluster's APIs, `group/version` or `group/version/Kind`. */
  readonly apiVersions: readonly string[];
  readonly values: object;
}

export class Helm {
  private written = 0;

  /**
   * @param program path or name of the helm program
   * @param scratch an existing folder for values files and fetched charts
   */
  constructor(
    private readonly program: string,
    private readonly scratch: string,
  ) {}

  /** The version that the program prints. @throws HelmError when there is no such program */
  async version(): Promise<string> {
    return (await this.call(['version', '--short'])).trim();
  }

  /** The folder of a chart: below `charts` when that is given, or else fetched from its repository. */
  async chartFolder(name: string, version: ChartVersion, charts: string | undefined): Promise<string> {
    if (charts !== undefined) {
      const folder = join(charts, name);
      if (!existsSync(join(folder, 'Chart.yaml'))) {
        throw new HelmError(
          `${folder} has no Chart.yaml; unpack ${version.chart} ${version.version} there, subcharts included, or leave --charts out to fetch it.`,
        );
      }
      const found = String((parse(readFileSync(join(folder, 'Chart.yaml'), 'utf8')) as { version?: string }).version);
      if (found.replace(/^v/, '') !== version.version.replace(/^v/, '')) {
        throw new HelmError(`${folder} is version ${found} of the chart, but versions.ts pins ${version.version}.`);
      }
      return folder;
    }
    const into = join(this.scratch, 'fetched', name);
    const oci = !/^https?:\/\//.test(version.repository);
    await this.call([
      'pull',
      oci ? `oci://${version.repository}/${version.chart}` : version.chart,
      ...(oci ? [] : ['--repo', version.repository]),
      '--version',
      version.version,
      '--untar',
      '--untardir',
      into,
    ]);
    return join(into, version.chart);
  }

  /** Renders a chart with its CRDs, as text. */
  async render(folder: string, options: RenderOptions): Promise<string> {
    const values = join(this.scratch, `values-${++this.written}.json`);
    writeFileSync(values, JSON.stringify(options.values));
    return this.call([
      'template',
      options.name,
      folder,
      '--namespace',
      options.namespace,
      '--include-crds',
      '--kube-version',
      options.kubeVersion,
      ...options.apiVersions.flatMap((version) => ['--api-versions', version]),
      '--values',
      values,
    ]);
  }

  private async call(args: readonly string[]): Promise<string> {
    try {
      return (await run(this.program, [...args], { maxBuffer: MOST_OUTPUT })).stdout;
    } catch (error) {
      const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
      if (code === 'ENOENT') {
        throw new HelmError(
          `There is no program '${this.program}'. Install Helm 3 (https://helm.sh), or name it by --helm PATH or the environment variable HELM.`,
        );
      }
      const reason = (stderr ?? message)
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.startsWith('WARNING') && !line.startsWith('Use --debug'))
        .join(' ');
      throw new HelmError(`helm ${args[0]} failed: ${reason}`);
    }
  }
}

/** What a chart in a folder says of its values, subcharts included. */
export function readChartSource(folder: string): ChartSource {
  const schema = join(folder, 'values.schema.json');
  const values = join(folder, 'values.yaml');
  return {
    defaults: existsSync(values) ? (parse(readFileSync(values, 'utf8'), { merge: true }) ?? {}) : {},
    ...(existsSync(schema) ? { schema: JSON.parse(readFileSync(schema, 'utf8')) as unknown } : {}),
    templates: readTexts(join(folder, 'templates')).join('\n'),
    subcharts: readSubcharts(folder),
  };
}

function readTexts(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && /\.(ya?ml|tpl|txt)$/.test(path))
    .map((path) => readFileSync(path, 'utf8'));
}

function readSubcharts(folder: string): Readonly<Record<string, ChartSource>> {
  const charts = join(folder, 'charts');
  if (!existsSync(charts)) return {};
  const metadata = parse(readFileSync(join(folder, 'Chart.yaml'), 'utf8')) as {
    dependencies?: readonly { name: string; alias?: string }[];
  };
  return Object.fromEntries(
    readdirSync(charts, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => {
        const aliases = (metadata.dependencies ?? []).filter((each) => each.name === entry.name).map((each) => each.alias ?? each.name);
        const source = readChartSource(join(charts, entry.name));
        return (aliases.length > 0 ? aliases : [entry.name]).map((name): [string, ChartSource] => [name, source]);
      }),
  );
}
