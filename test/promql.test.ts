/** Which metrics an expression reads: every place where a word is a metric, and every place where it is not. */
import { metricNames } from '../lib/promql';

test.each([
  ['a metric alone', 'up', ['up']],
  ['with matchers', 'up{job="x", pod!~"y.+"} == 0', ['up']],
  ['within functions', 'time() - max(rate(a_total[5m]))', ['a_total']],
  ['with grouping before the argument', 'sum by (le, pod) (rate(a_bucket[5m]))', ['a_bucket']],
  ['with grouping after the argument', 'sum(rate(a_total[5m])) without(instance)', ['a_total']],
  ['joined', 'a * on (pod) group_left (node) b unless on (pod) c', ['a', 'b', 'c']],
  ['joined by a bare group_right', 'a * on (pod) group_right b', ['a', 'b']],
  ['with offsets, modifiers and bool', 'a offset 1h30m > bool b @ 1700000000 and c @ start()', ['a', 'b', 'c']],
  ['with subqueries', 'max_over_time(rate(a_total[5m])[1h:1m])', ['a_total']],
  ['with numbers of every form', '1e5 * a + 0x1F - .5 + 4 * 86400 > Inf', ['a']],
  ['with strings that look like metrics', 'label_replace(a, "b", "$1", "c", "(d.+) {e")', ['a']],
  ['with escaped quotes and braces in matchers', 'a{b="c\\"}d", e=\'}f\'} + g', ['a', 'g']],
  ['with comments', 'a # b\n + c', ['a', 'c']],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Grafana's way to write a variable.
  ["with Grafana's variables", 'rate(a_total{b=~"$c", d="${e:regex}"}[$__rate_interval]) * $f', ['a_total']],
  ['with the name as a matcher', '{__name__="a", b="c"}', ['a']],
  ['with the name as a string', '{"a", b="c"}', ['a']],
  ['with a name that begins like an aggregation', 'sum_of_all + count_b + by_c + on_d', ['sum_of_all', 'count_b', 'by_c', 'on_d']],
  ['named twice', 'a / (a + b)', ['a', 'b']],
])('%s', (_, expression, names) => {
  expect(metricNames(expression)).toEqual(names);
});

test('a metric that is named by a pattern is refused, because nobody could look it up', () => {
  expect(() => metricNames('{__name__=~"a.+"}')).toThrow('A metric is named by a pattern (__name__=~"a.+")');
});

test.each([
  ['a string', 'a{b="c'],
  ['a matcher', 'a{b="c"'],
  ['a range', 'rate(a[5m'],
])('%s that does not end is refused', (_, expression) => {
  expect(() => metricNames(expression)).toThrow(expression);
});

test('a character that PromQL does not have is refused, with its place', () => {
  expect(() => metricNames('a ; b')).toThrow("';' is not understood at character 3 of the expression 'a ; b'.");
});
