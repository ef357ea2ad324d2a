/**
 * The broker's page for one browser on this machine, with a player logged in: a server on loopback that hands requests on to the cluster's ingress and keeps the
 * player's cookie itself, so that nobody has to edit /etc/hosts or trust a certificate. It deliberately serves this machine's own page alone: a request that another
 * site's page sends is handed on as such, and the broker refuses it.
 */
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';

/** Where the broker is. */
export interface Upstream {
  /** The broker's public URL, such as `https://mmo.localhost.test`. */
  readonly publicUrl: string;
  /** Address and port that answer for it on this machine. */
  readonly host: string;
  readonly port: number;
  /** The authority that signed its certificate (PEM). @default those of the machine */
  readonly ca?: string;
}

export interface Player {
  readonly name: string;
  readonly password: string;
}

/** Headers that belong to one connection, and those that this server writes itself. */
const NOT_HANDED_ON = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'host', 'cookie']);
const NOT_HANDED_BACK = new Set(['connection', 'keep-alive', 'transfer-encoding', 'set-cookie', 'strict-transport-security']);

/** What the broker refused, in its own words. */
export class PageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PageError';
  }
}

export class PlayersPage {
  /** The player's cookies by name; no browser ever has them. */
  private readonly cookies = new Map<string, string>();
  private server: Server | undefined;

  constructor(private readonly upstream: Upstream) {}

  /**
   * Logs in, or makes the account when there is none of that name.
   * @throws PageError with the broker's reason; an Error of the connection when nothing answers
   */
  async logIn(player: Player): Promise<'logged in' | 'registered'> {
    const body = { ...player, kind: 'cookie', device: 'npm run local' };
    const answer = await this.ask('POST', '/v1/sessions', body);
    if (answer.status < 300) return 'logged in';
    const made = await this.ask('POST', '/v1/accounts', body);
    if (made.status < 300) return 'registered';
    throw new PageError(`The player '${player.name}' can neither log in (${reasonOf(answer)}) nor register (${reasonOf(made)}).`);
  }

  /** The account that is logged in, as the broker says it. @throws PageError when nobody is */
  async account(): Promise<string> {
    const answer = await this.ask('GET', '/v1/account');
    if (answer.status !== 200) throw new PageError(`Nobody is logged in (${reasonOf(answer)}).`);
    return (JSON.parse(answer.text) as { name: string }).name;
  }

  /** Serves the page until `close`. @param port 0 takes a free one @returns its address */
  async serve(port: number): Promise<string> {
    const server = createServer((request, response) => this.hand(request, response));
    this.server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('A server on a port has no port.');
    return `http://localhost:${address.port}`;
  }

  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private hand(request: IncomingMessage, response: ServerResponse): void {
    const { host = '' } = request.headers;
    const own = new Set([`localhost:${request.socket.localPort}`, `127.0.0.1:${request.socket.localPort}`]);
    // A name that somebody else's DNS points here would make this the page of a stranger.
    if (!own.has(host)) {
      response.writeHead(421, { 'content-type': 'text/plain' }).end('This is the page of one machine; open it as localhost.\n');
      return;
    }
    const headers = kept(request.headers, NOT_HANDED_ON);
    if (headers.origin === `http://${host}`) headers.origin = this.upstream.publicUrl;
    const asked = this.send(request.method ?? 'GET', request.url ?? '/', headers, (answer) => {
      response.writeHead(answer.statusCode ?? 502, kept(answer.headers, NOT_HANDED_BACK));
      answer.pipe(response);
    });
    asked.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { 'content-type': 'text/plain' }).end(`The broker does not answer: ${error.message}\n`);
    });
    response.on('close', () => asked.destroy());
    request.pipe(asked);
  }

  private send(method: string, path: string, headers: IncomingHttpHeaders, answered: (answer: IncomingMessage) => void) {
    const { publicUrl, host, port, ca } = this.upstream;
    const url = new URL(publicUrl);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const options = { host, port, method, path, headers: { ...headers, host: url.host, ...(cookie === '' ? {} : { cookie }) } };
    const keep = (answer: IncomingMessage): void => {
      for (const line of answer.headers['set-cookie'] ?? []) this.keepCookie(line);
      answered(answer);
    };
    return url.protocol === 'https:' ? httpsRequest({ ...options, ca, servername: url.hostname }, keep) : httpRequest(options, keep);
  }

  private keepCookie(line: string): void {
    const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
    const ended = /;\s*max-age=0(?:;|$)/i.test(line) || /;\s*expires=Thu, 01 Jan 1970/i.test(line);
    if (ended || value === '') this.cookies.delete(name);
    else this.cookies.set(name, value);
  }

  private ask(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly text: string }> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      accept: 'application/json',
      origin: this.upstream.publicUrl,
      ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
    };
    return new Promise((resolve, reject) => {
      const asked = this.send(method, path, headers, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
      });
      asked.setTimeout(30_000, () => asked.destroy(new Error('no answer in 30 s')));
      asked.on('error', reject);
      asked.end(payload);
    });
  }
}

function kept(headers: IncomingHttpHeaders, without: ReadonlySet<string>): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !without.has(name)));
}

function reasonOf({ status, text }: { readonly status: number; readonly text: string }): string {
  try {
    const { detail, code } = JSON.parse(text) as { detail?: string; code?: string };
    return `${status}: ${detail ?? code ?? 'without a reason'}`;
  } catch {
    return String(status);
  }
}
