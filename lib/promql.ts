/**
 * Which metrics a PromQL expression reads: a tokenizer that knows strings, comments, matchers, ranges, label lists and Grafana's variables.
 * It deliberately checks no grammar: promtool does that where it is installed (test/metrics.test.ts). What it cannot tell, it refuses.
 */

/** Words that stand where a metric's name could stand. Functions are not among them: they are what stands before a parenthesis. */
const KEYWORDS = new Set(['and', 'or', 'unless', 'atan2', 'bool', 'offset', 'inf', 'nan']);
/** Words that a list of labels follows, in parentheses; for the last two it may be missing. */
const BEFORE_LABELS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
/** An aggregation may have its `by (…)` before its argument, so that no parenthesis follows its name. */
const BEFORE_GROUPING = /^\s*(?:by|without)\b/i;

const NAME = /[A-Za-z_:][A-Za-z0-9_:]*/y;
const NUMBER = /(?:0x[0-9a-f]+|[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?(?:ms|[smhdwy])?|\.[0-9]+(?:e[+-]?[0-9]+)?)(?:[0-9]+(?:ms|[smhdwy]))*/iy;
const VARIABLE = /\$(?:\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*)/y;
const OPERATOR = /[-+*/%^()=!<>,@~]+/y;
const SPACE = /(?:\s+|#[^\n]*)+/y;

/**
 * Names of the metrics that an expression reads, each once, in order of appearance.
 * @throws Error when the expression has a character that PromQL does not have there, or names a metric by a pattern (`{__name__=~…}`), which nobody can look up
 */
export function metricNames(expression: string): string[] {
  const names = new Set<string>();
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(expression)?.[0];
    if (match) at += match.length;
    return match;
  };
  const refuse = (what: string): never => {
    throw new Error(`${what} at character ${at + 1} of the expression '${expression}'.`);
  };

  while (at < expression.length) {
    const character = expression.charAt(at);
    if (take(SPACE) || take(VARIABLE)) continue;
    if ('"\'`'.includes(character)) at = endOfString(expression, at, refuse);
    else if (character === '[') at = endOfGroup(expression, at, ']', refuse);
    else if (character === '{') {
      const end = endOfGroup(expression, at, '}', refuse);
      for (const name of namesInMatchers(expression.slice(at + 1, end - 1), refuse)) names.add(name);
      at = end;
    } else if (take(NUMBER) || take(OPERATOR)) continue;
    else {
      const word = take(NAME) ?? refuse(`'${character}' is not understood`);
      const rest = expression.slice(at);
      const opens = /^\s*\(/.exec(rest)?.[0].length;
      if (BEFORE_LABELS.has(word.toLowerCase())) {
        if (opens) at = endOfGroup(expression, at + opens - 1, ')', refuse);
      } else if (!opens && !BEFORE_GROUPING.test(rest) && !KEYWORDS.has(word.toLowerCase())) names.add(word);
    }
  }
  return [...names];
}

/** A metric is named within braces as `__name__="…"`, or by a string alone. */
function namesInMatchers(matchers: string, refuse: (what: string) => never): string[] {
  const names: string[] = [];
  const strings = /(__name__\s*(=~|!~|!=|=)\s*)?(["'`])((?:\\.|(?!\3)[^\\])*)\3/gs;
  for (const [match, label, operator, , value = ''] of matchers.matchAll(strings)) {
    const before = matchers.slice(0, matchers.indexOf(match)).trimEnd();
    if (label && operator !== '=') refuse(`A metric is named by a pattern (${label.trim()}${JSON.stringify(value)})`);
    if (label || before === '' || before.endsWith(',')) names.push(value);
  }
  return names;
}

function endOfString(expression: string, start: number, refuse: (what: string) => never): number {
  const quote = expression.charAt(start);
  for (let at = start + 1; at < expression.length; at++) {
    if (expression.charAt(at) === quote) return at + 1;
    if (expression.charAt(at) === '\\' && quote !== '`') at++;
  }
  return refuse(`A string does not end: it begins with ${quote}`);
}

/** End of a group that begins at `start`; strings within it are skipped, and no group of PromQL that comes here has another of its kind inside. */
function endOfGroup(expression: string, start: number, close: string, refuse: (what: string) => never): number {
  let at = start + 1;
  while (at < expression.length) {
    const character = expression.charAt(at);
    if ('"\'`'.includes(character)) at = endOfString(expression, at, refuse);
    else if (expression.startsWith('${', at)) at = expression.indexOf('}', at) + 1 || expression.length;
    else if (character === close) return at + 1;
    else at++;
  }
  return refuse(`'${expression.charAt(start)}' is not closed: there is no '${close}'`);
}
