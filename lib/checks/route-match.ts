/**
 * Which route of Traefik answers a request: reads its rules (v3 syntax) far enough to say whether host and path match, and how Traefik orders routes.
 * It deliberately looks at nothing else of a request: headers, methods and client addresses may match.
 */

/** Whether a rule may match a request for the host and path. */
export function mayMatch(rule: string, host: string, path: string): boolean {
  const tokens = rule.match(/`[^`]*`|"(?:[^"\\]|\\.)*"|&&|\|\||[!(),]|[A-Za-z]+/g) ?? [];
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const take = (): string => tokens[at++] ?? '';
  // Each answers what may match and what must: the negation of "perhaps" is "perhaps".
  const either = (): Answer => {
    let answer = both();
    while (peek() === '||') {
      take();
      answer = or(answer, both());
    }
    return answer;
  };
  const both = (): Answer => {
    let answer = single();
    while (peek() === '&&') {
      take();
      answer = and(answer, single());
    }
    return answer;
  };
  const single = (): Answer => {
    const token = take();
    if (token === '!') return not(single());
    if (token === '(') {
      const answer = either();
      take();
      return answer;
    }
    const values: string[] = [];
    if (peek() === '(') {
      take();
      while (at < tokens.length && peek() !== ')') {
        const value = take();
        if (/^[`"]/.test(value)) values.push(value.slice(1, -1));
      }
      take();
    }
    return matcher(token, values, host, path);
  };
  return either() !== 'no';
}

type Answer = 'yes' | 'no' | 'perhaps';

function or(a: Answer, b: Answer): Answer {
  return a === 'yes' || b === 'yes' ? 'yes' : a === 'no' ? b : b === 'no' ? a : 'perhaps';
}

function and(a: Answer, b: Answer): Answer {
  return not(or(not(a), not(b)));
}

function not(answer: Answer): Answer {
  return answer === 'yes' ? 'no' : answer === 'no' ? 'yes' : 'perhaps';
}

function matcher(name: string, values: readonly string[], host: string, path: string): Answer {
  const any = (test: (value: string) => boolean): Answer => (values.some(test) ? 'yes' : 'no');
  switch (name) {
    case 'Host':
      return any((value) => value.toLowerCase() === host.toLowerCase());
    case 'Path':
      return any((value) => value === path);
    case 'PathPrefix':
      // Traefik compares texts, not path segments.
      return any((value) => path.startsWith(value));
    case 'HostRegexp':
    case 'PathRegexp':
      return any((value) => matchesRegExp(value, name === 'HostRegexp' ? host : path));
    default:
      return 'perhaps';
  }
}

function matchesRegExp(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return true;
  }
}

export interface PrioritizedRoute {
  readonly match?: string;
  readonly priority?: number;
}

/** Traefik tries the route of the highest priority first; without one the length of the rule is it. */
export function priorityOf({ match = '', priority }: PrioritizedRoute): number {
  return priority || match.length;
}
