/**
 * Proves that each script is Lua which Argo CD's interpreter can run and which a ConfigMap shows readably, and that the
 * interpreter of these tests is as bare as Argo CD's. What the scripts answer is the matter of checks.test.ts.
 */
import { readdirSync } from 'node:fs';
import { healthChecks, ownHealthKinds } from '../../../argocd/health';
import { runHealthCheck } from './lua';

const scripts = ownHealthKinds.map((kind) => ({ kind, source: healthChecks[kind] }));

/** Without what may contain anything: comments and strings. No script of ours uses long brackets. */
function codeOf(source: string): string {
  return source.replace(/"(?:\\.|[^"\\\n])*"/g, '""').replace(/--.*$/gm, '');
}

describe.each(scripts)('the script of $kind', ({ kind, source }) => {
  test('has no syntax that Lua 5.1 lacks', () => {
    expect(codeOf(source)).not.toMatch(/\/\/|[&|]|<<|>>|~(?!=)|\bgoto\b|::/);
  });

  test('uses no library that Argo CD withholds', () => {
    expect(codeOf(source)).not.toMatch(/\b(?:string|math|os|io|debug|require|coroutine|utf8)\b|\]\s*:|[\w)]:\w/);
  });

  test('has no global variables of its own', () => {
    // Assignments at the start of a line, other than to a local or to a field.
    expect(codeOf(source)).not.toMatch(/^(?:function\b|[A-Za-z_]\w*\s*=)/m);
  });

  test('is shown as a block by YAML: no tabs, no blanks at the end of a line, one line feed at the end', () => {
    expect(source).toMatch(/^(?:[^\t\n]*[^\t\n ]\n|\n)*[^\t\n]*[^\t\n ]\n$/);
  });

  test('does not stumble over an object that has nothing but its kind', () => {
    expect(runHealthCheck(source, { kind: kind.split('/')[1] }).status).toBe('Progressing');
  });

  test('does not stumble over an empty status', () => {
    expect(runHealthCheck(source, { metadata: {}, spec: { replicas: 1 }, status: {} }).status).toBe('Progressing');
  });
});

test('every script in the folder belongs to a kind', () => {
  const files = readdirSync('argocd/health').filter((file) => file.endsWith('.lua'));
  expect(files.sort()).toEqual(ownHealthKinds.map((kind) => `${kind.replace('/', '_')}.lua`).sort());
});

describe('the interpreter of these tests', () => {
  const globals = 'local names = {} for name in pairs(_G) do table.insert(names, name) end table.sort(names) ';

  test('offers no more than Argo CD does', () => {
    const source = `${globals} return { status = table.concat(names, " ") }`;
    expect(runHealthCheck(source, {}).status).toBe(
      '_G _VERSION assert error getmetatable ipairs next obj pairs pcall rawequal rawget rawset select setmetatable table tonumber tostring type xpcall',
    );
  });

  test('has no methods on strings', () => {
    expect(() => runHealthCheck('return { status = ("x"):upper() }', {})).toThrow(/attempt to index a string value/);
  });

  test('hands whole numbers over without a fraction', () => {
    expect(runHealthCheck('return { status = "" .. obj.count }', { count: 3 }).status).toBe('3');
  });

  test('hands null over as nil', () => {
    expect(runHealthCheck('return { status = type(obj.gone) }', { gone: null }).status).toBe('nil');
  });

  test('counts arrays from 1', () => {
    expect(runHealthCheck('return { status = obj.names[1] }', { names: ['first'] }).status).toBe('first');
  });

  test('stops a check that never ends', () => {
    expect(() => runHealthCheck('while true do end', {})).toThrow(/ran for more than 1000000 instructions/);
  });

  test('refuses a script that does not compile', () => {
    expect(() => runHealthCheck('return {', {})).toThrow(/The health check failed/);
  });

  test('refuses an answer that is not a table', () => {
    expect(() => runHealthCheck('return "Healthy"', {})).toThrow('not a table');
  });

  test('refuses a message that is a number', () => {
    expect(() => runHealthCheck('return { status = "Healthy", message = 3 }', {})).toThrow('message that is not a string');
  });
});
