/**
 * Reads the rule of a Traefik route just far enough to say which hosts it answers for.
 * It deliberately takes anything that it cannot decide (a pattern, a negation) for every host: a check must not be led to believe that a route is narrower than it is.
 */

/** Hosts that a rule answers for; `any` when it is not limited to hosts that are written down. */
export type RuleHosts = ReadonlySet<string> | 'any';

/** @param match such as "Host(`a.example.org`) && PathPrefix(`/api`)"; @returns `any` also for a text that is no rule */
export function hostsOf(match: string): RuleHosts {
  const tokens = match.match(/&&|\|\||!|\(|\)|,|`[^`]*`|"[^"]*"|[A-Za-z]+|\S/g) ?? [];
  const parser = new Parser(tokens);
  const hosts = parser.either();
  return parser.done ? hosts : 'any';
}

class Parser {
  private at = 0;

  constructor(private readonly tokens: readonly string[]) {}

  get done(): boolean {
    return this.at === this.tokens.length && this.at > 0;
  }

  either(): RuleHosts {
    let hosts = this.both();
    while (this.take('||')) {
      const other = this.both();
      hosts = hosts === 'any' || other === 'any' ? 'any' : new Set([...hosts, ...other]);
    }
    return hosts;
  }

  private both(): RuleHosts {
    let hosts = this.one();
    while (this.take('&&')) {
      const other = this.one();
      if (hosts === 'any') hosts = other;
      else if (other !== 'any') hosts = new Set([...hosts].filter((host) => other.has(host)));
    }
    return hosts;
  }

  private one(): RuleHosts {
    if (this.take('!')) {
      this.one();
      return 'any';
    }
    if (this.take('(')) {
      const hosts = this.either();
      return this.take(')') ? hosts : 'any';
    }
    const name = this.next();
    const values: string[] = [];
    if (!this.take('(')) return 'any';
    while (!this.take(')')) {
      const token = this.next();
      if (token === undefined) return 'any';
      if (/^[`"]/.test(token)) values.push(token.slice(1, -1).toLowerCase());
    }
    const exact = name === 'Host' || name === 'HostHeader' || name === 'HostSNI';
    return exact && values.length > 0 && !values.includes('*') ? new Set(values) : 'any';
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at += 1;
    return true;
  }

  private next(): string | undefined {
    const token = this.tokens[this.at];
    this.at += 1;
    return token;
  }
}
