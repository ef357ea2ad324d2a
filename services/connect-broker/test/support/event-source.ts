/**
 * Reads server-sent events from a listening broker, for tests: one connection, events as they come.
 * It deliberately does not reconnect, as a browser would.
 */
import http from 'node:http';

export interface ReceivedEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly retry: number | undefined;
  readonly data: Record<string, unknown>;
}

export interface EventReader {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** The next event; rejects when the stream ends before one comes. */
  next(): Promise<ReceivedEvent>;
  /** Everything that has come, comments included, as text. */
  readonly text: () => string;
  readonly ended: Promise<void>;
  close(): void;
}

export function readEvents(port: number, path: string, headers: http.OutgoingHttpHeaders = {}): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let text = '';
      let parsed = 0;
      let over = false;
      const events: ReceivedEvent[] = [];
      const waiting: { resolve: (event: ReceivedEvent) => void; reject: (error: Error) => void }[] = [];
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n\n', parsed); end >= 0; end = text.indexOf('\n\n', parsed)) {
          const fields = new Map(
            text
              .slice(parsed, end)
              .split('\n')
              .filter((line) => !line.startsWith(':'))
              .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
          );
          parsed = end + 2;
          const data = fields.get('data');
          if (data === undefined) continue;
          const retry = fields.get('retry');
          events.push({
            event: fields.get('event') ?? 'message',
            id: fields.get('id'),
            retry: retry === undefined ? undefined : Number(retry),
            data: JSON.parse(data) as Record<string, unknown>,
          });
        }
        while (events.length > 0 && waiting.length > 0) waiting.shift()?.resolve(events.shift() as ReceivedEvent);
      });
      const ended = new Promise<void>((done) => {
        const finish = () => {
          over = true;
          for (const { reject: fail } of waiting.splice(0)) fail(new Error(`The stream ended; it had sent: ${text}`));
          done();
        };
        response.on('close', finish);
        response.on('error', finish);
      });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        next: () =>
          new Promise((give, fail) => {
            const first = events.shift();
            if (first) give(first);
            else if (over) fail(new Error(`The stream has ended; it had sent: ${text}`));
            else waiting.push({ resolve: give, reject: fail });
          }),
        text: () => text,
        ended,
        close: () => request.destroy(),
      });
    });
    request.on('error', reject);
  });
}
