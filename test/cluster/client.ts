/**
 * A small Kubernetes client for tests: requests with a token, server-side apply with strict validation, the server's warnings with every answer.
 * It deliberately is not the official client: that one has neither fieldValidation nor the Warning headers in its generic object API, and both are what these tests are about.
 */
import { Agent, request as httpsRequest } from 'node:https';
import type { PlainObject } from '../../lib/emit/manifest';

/** Who asks: a bearer token, or somebody whom the administrator plays. */
export interface Identity {
  readonly token: string;
}

export interface Connection extends Identity {
  readonly port: number;
  /** The certificate that the API server shows (PEM). */
  readonly ca: string;
}

export interface Answer<Body> {
  readonly body: Body;
  /** Texts of the Warning headers. */
  readonly warnings: readonly string[];
}

/** A refusal, in the API server's own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A kind that the server serves. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** Such as `status` and `scale`. */
  readonly subresources: readonly string[];
}

interface Discovery {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind: { readonly kind: string };
        readonly scope: 'Namespaced' | 'Cluster';
        readonly verbs: readonly string[];
        readonly subresources?: readonly { readonly subresource: string }[];
      }[];
    }[];
  }[];
}

/** Who applies; the name that Argo CD uses, so that ownership is as in a cluster. */
const FIELD_MANAGER = 'argocd-controller';

export class Client {
  private readonly agent: Agent;
  /** Watches hold their connections, which must not be those that requests wait for. */
  private readonly watches: Agent;
  private resources = new Map<string, Resource>();

  constructor(private readonly connection: Connection) {
    this.agent = new Agent({ keepAlive: true, maxSockets: 16, ca: connection.ca });
    this.watches = new Agent({ ca: connection.ca });
  }

  /** The same server, asked by somebody else. */
  as(identity: Identity): Client {
    const other = new Client({ ...this.connection, ...identity });
    other.resources = this.resources;
    return other;
  }

  close(): void {
    this.agent.destroy();
    this.watches.destroy();
  }

  /** Waits while the server prepares to serve a kind that was just defined. @throws ApiError for every other status but 2xx */
  async request<Body = PlainObject>(...asked: Parameters<Client['requestOnce']>): Promise<Answer<Body>> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.requestOnce<Body>(...asked);
      } catch (error) {
        const preparing = error instanceof ApiError && error.status === 429 && error.message.includes('storage is (re)initializing');
        if (!preparing || attempt === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  private requestOnce<Body>(
    method: string,
    path: string,
    body?: string | object,
    contentType = 'application/json',
    accept = 'application/json',
  ): Promise<Answer<Body>> {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          agent: this.agent,
          host: '127.0.0.1',
          port: this.connection.port,
          method,
          path,
          headers: {
            authorization: `Bearer ${this.connection.token}`,
            accept,
            ...(payload === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('error', reject);
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const status = response.statusCode ?? 0;
            // biome-ignore lint/suspicious/noExplicitAny: an answer of any kind; health endpoints answer with plain text.
            let parsed: any = text;
            if (response.headers['content-type']?.startsWith('application/json')) parsed = JSON.parse(text);
            if (status < 200 || status > 299)
              reject(new ApiError(status, parsed?.reason ?? '', `${method} ${path}: ${status} ${parsed?.message ?? text}`));
            else resolve({ body: parsed as Body, warnings: warningsOf(response.rawHeaders) });
          });
        },
      );
      request.on('error', reject);
      request.end(payload);
    });
  }

  async get<Body = PlainObject>(path: string): Promise<Body> {
    return (await this.request<Body>('GET', path)).body;
  }

  async list(path: string): Promise<PlainObject[]> {
    return (await this.get<{ items: PlainObject[] }>(path)).items;
  }

  /**
   * Hears of every change of a collection after a version of it.
   * @param version `metadata.resourceVersion` of a list
   * @returns `stop`, and a promise that resolves when the server or `stop` ended it; what was missed then shows in a new list
   */
  watch(path: string, version: string, onChange: (type: string, object: PlainObject) => void): { stop: () => void; ended: Promise<void> } {
    let stop = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      const request = httpsRequest(
        {
          agent: this.watches,
          host: '127.0.0.1',
          port: this.connection.port,
          path: `${path}${path.includes('?') ? '&' : '?'}watch=true&resourceVersion=${version}`,
          headers: { authorization: `Bearer ${this.connection.token}`, accept: 'application/json' },
        },
        (response) => {
          let rest = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            const lines = (rest + chunk).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) {
              const { type, object } = JSON.parse(line) as { type: string; object: PlainObject };
              if (type === 'ERROR') request.destroy();
              else if (type !== 'BOOKMARK') onChange(type, object);
            }
          });
          response.on('close', resolve);
          response.on('error', () => resolve());
        },
      );
      request.on('error', () => resolve());
      request.on('close', () => resolve());
      request.end();
      stop = () => request.destroy();
    });
    return { stop, ended };
  }

  /** Reads what the server serves; again after definitions were added. */
  async discover(): Promise<readonly Resource[]> {
    const found = new Map<string, Resource>();
    for (const path of ['/api', '/apis']) {
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
      const { body } = await this.request<Discovery>('GET', path, undefined, undefined, accept);
      for (const { metadata, versions } of body.items) {
        const group = metadata.name ?? '';
        for (const { version, resources = [] } of versions) {
          for (const { resource, responseKind, scope, verbs, subresources = [] } of resources) {
            const apiVersion = group === '' ? version : `${group}/${version}`;
            found.set(`${apiVersion} ${responseKind.kind}`, {
              group,
              version,
              kind: responseKind.kind,
              plural: resource,
              namespaced: scope === 'Namespaced',
              verbs,
              subresources: subresources.map((each) => each.subresource),
            });
          }
        }
      }
    }
    this.resources = found;
    return [...found.values()];
  }

  /** Path of a collection. @throws when the server does not serve the kind */
  collection(apiVersion: string, kind: string, namespace?: string): string {
    const resource = this.resources.get(`${apiVersion} ${kind}`);
    if (this.resources.size === 0) throw new Error('The client does not know yet what the server serves; call discover() first.');
    if (resource === undefined) throw new ApiError(404, 'NotServed', `The API server does not serve kind ${kind} of ${apiVersion}.`);
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    if (resource.namespaced && namespace === undefined) throw new Error(`A ${kind} is in a namespace, but none is named.`);
    return `${base}${resource.namespaced ? `/namespaces/${namespace}` : ''}/${resource.plural}`;
  }

  /** Path of all objects of a kind, in every namespace. */
  everywhere(apiVersion: string, kind: string): string {
    return this.collection(apiVersion, kind, '').replace('/namespaces//', '/');
  }

  serves(apiVersion: string, kind: string): boolean {
    return this.resources.has(`${apiVersion} ${kind}`);
  }

  /** Whether a kind's status is written apart from the rest. */
  hasStatus(apiVersion: string, kind: string): boolean {
    return this.resources.get(`${apiVersion} ${kind}`)?.subresources.includes('status') ?? false;
  }

  /** Path of one object. Throws as `collection` does. */
  pathOf({ apiVersion, kind, metadata }: PlainObject): string {
    return `${this.collection(apiVersion, kind, metadata.namespace)}/${encodeURIComponent(metadata.name)}`;
  }

  /**
   * Server-side apply with strict validation: an unknown or duplicate field is an error.
   * @param text what is sent, YAML or JSON. @default the object itself
   */
  apply(object: PlainObject, text: string = JSON.stringify(object)): Promise<Answer<PlainObject>> {
    return this.request(
      'PATCH',
      `${this.pathOf(object)}?fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`,
      text,
      'application/apply-patch+yaml',
    );
  }

  /** Creates nothing, but has the server judge it: admission, schema and warnings. */
  dryRunCreate(object: PlainObject): Promise<Answer<PlainObject>> {
    return this.request(
      'POST',
      `${this.collection(object.apiVersion, object.kind, object.metadata.namespace)}?dryRun=All&fieldValidation=Strict`,
      object,
    );
  }

  /** Deletes in the foreground, as Argo CD prunes. */
  delete(object: PlainObject): Promise<Answer<PlainObject>> {
    return this.request('DELETE', this.pathOf(object), { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground' });
  }
}

/** `299 - "text"`, one header a warning; Node joins equal headers with commas, which the texts have too. */
function warningsOf(rawHeaders: readonly string[]): string[] {
  return rawHeaders.flatMap((header, index) => {
    if (index % 2 === 1 || header.toLowerCase() !== 'warning') return [];
    const value = rawHeaders[index + 1] ?? '';
    const quoted = /"((?:[^"\\]|\\.)*)"/.exec(value)?.[1];
    return [quoted === undefined ? value : quoted.replace(/\\(.)/g, '$1')];
  });
}
