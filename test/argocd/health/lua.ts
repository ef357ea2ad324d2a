/**
 * Runs a health check in a real Lua interpreter, in the surroundings that Argo CD gives it: the object as the global `obj`,
 * the base and table libraries, nothing else (no string, math, io or os). Argo CD's interpreter speaks Lua 5.1 and this one
 * 5.3, so what exists only in 5.3 is taken away; syntax that only 5.3 has is a matter of the lint test, not of this file.
 */
import { type LuaState, lauxlib, lua, lualib, to_jsstring, to_luastring } from 'fengari';

/** What a check answers. */
export interface HealthAnswer {
  readonly status: string;
  readonly message: string | undefined;
}

/** Of the base library: what Lua 5.1 lacks, and what reads files or writes to the terminal. */
const REMOVED_GLOBALS = ['rawlen', 'load', 'dofile', 'loadfile', 'print', 'collectgarbage'];
/** Of the table library: what Lua 5.1 lacks. */
const REMOVED_TABLE_FUNCTIONS = ['pack', 'unpack', 'move'];
/** Argo CD stops a check after a second; this count of instructions is far beyond what a check needs. */
const MOST_INSTRUCTIONS = 1_000_000;

/**
 * @param source the Lua source of the check
 * @param object the Kubernetes object, as parsed from YAML
 * @throws Error when the script does not compile, fails, or answers with anything but a table of strings
 */
export function runHealthCheck(source: string, object: unknown): HealthAnswer {
  const state = lauxlib.luaL_newstate();
  lauxlib.luaL_requiref(state, to_luastring('_G'), lualib.luaopen_base, 1);
  lauxlib.luaL_requiref(state, to_luastring('table'), lualib.luaopen_table, 1);
  for (const name of REMOVED_TABLE_FUNCTIONS) {
    lua.lua_pushnil(state);
    lua.lua_setfield(state, -2, to_luastring(name));
  }
  lua.lua_pop(state, 2);
  for (const name of REMOVED_GLOBALS) {
    lua.lua_pushnil(state);
    lua.lua_setglobal(state, to_luastring(name));
  }
  lua.lua_sethook(
    state,
    () => lauxlib.luaL_error(state, to_luastring(`it ran for more than ${MOST_INSTRUCTIONS} instructions`)),
    lua.LUA_MASKCOUNT,
    MOST_INSTRUCTIONS,
  );

  push(state, object);
  lua.lua_setglobal(state, to_luastring('obj'));
  if (lauxlib.luaL_loadstring(state, to_luastring(source)) !== lua.LUA_OK || lua.lua_pcall(state, 0, 1, 0) !== lua.LUA_OK) {
    throw new Error(`The health check failed: ${text(state, -1)}`);
  }
  if (lua.lua_type(state, -1) !== lua.LUA_TTABLE) {
    throw new Error('The health check answered with something that is not a table.');
  }
  const status = field(state, 'status');
  if (status === undefined) {
    throw new Error('The health check answered without a status.');
  }
  return { status, message: field(state, 'message') };
}

/** A field of the table on top of the stack. Argo CD refuses a number where it expects a string. */
function field(state: LuaState, name: string): string | undefined {
  const type = lua.lua_getfield(state, -1, to_luastring(name));
  try {
    if (type === lua.LUA_TNIL) {
      return undefined;
    }
    if (type !== lua.LUA_TSTRING) {
      throw new Error(`The health check answered with a ${name} that is not a string.`);
    }
    return text(state, -1);
  } finally {
    lua.lua_pop(state, 1);
  }
}

function text(state: LuaState, index: number): string {
  return to_jsstring(lua.lua_tostring(state, index));
}

/** Puts a value on the stack as Argo CD does: null is nil, arrays count from 1, whole numbers print without a fraction. */
function push(state: LuaState, value: unknown): void {
  if (typeof value === 'boolean') {
    lua.lua_pushboolean(state, value);
  } else if (typeof value === 'number') {
    if (Number.isInteger(value)) {
      lua.lua_pushinteger(state, value);
    } else {
      lua.lua_pushnumber(state, value);
    }
  } else if (typeof value === 'string') {
    lua.lua_pushstring(state, to_luastring(value));
  } else if (Array.isArray(value)) {
    lua.lua_createtable(state, value.length, 0);
    value.forEach((item, index) => {
      push(state, item);
      lua.lua_rawseti(state, -2, index + 1);
    });
  } else if (typeof value === 'object' && value !== null) {
    lua.lua_createtable(state, 0, Object.keys(value).length);
    for (const [key, item] of Object.entries(value)) {
      push(state, key);
      push(state, item);
      lua.lua_rawset(state, -3);
    }
  } else {
    lua.lua_pushnil(state);
  }
}
