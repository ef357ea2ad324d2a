/** The part of fengari, a Lua interpreter in JavaScript without types of its own, that the tests call. */
declare module 'fengari' {
  /** A Lua state; opaque. */
  export interface LuaState {
    readonly __luaState: unique symbol;
  }
  /** A Lua string: bytes. */
  type LuaString = Uint8Array;

  export function to_luastring(text: string): LuaString;
  export function to_jsstring(bytes: LuaString): string;

  export const lua: {
    readonly LUA_OK: number;
    readonly LUA_TNIL: number;
    readonly LUA_TTABLE: number;
    readonly LUA_TSTRING: number;
    lua_pushnil(state: LuaState): void;
    lua_pushboolean(state: LuaState, value: boolean): void;
    lua_pushinteger(state: LuaState, value: number): void;
    lua_pushnumber(state: LuaState, value: number): void;
    lua_pushstring(state: LuaState, value: LuaString): void;
    lua_createtable(state: LuaState, array: number, hash: number): void;
    lua_rawset(state: LuaState, index: number): void;
    lua_rawseti(state: LuaState, index: number, key: number): void;
    lua_setglobal(state: LuaState, name: LuaString): void;
    lua_getfield(state: LuaState, index: number, name: LuaString): number;
    lua_setfield(state: LuaState, index: number, name: LuaString): void;
    lua_type(state: LuaState, index: number): number;
    lua_tostring(state: LuaState, index: number): LuaString;
    lua_pcall(state: LuaState, args: number, results: number, handler: number): number;
    lua_pop(state: LuaState, count: number): void;
    lua_sethook(state: LuaState, hook: () => void, mask: number, count: number): void;
    readonly LUA_MASKCOUNT: number;
  };
  export const lauxlib: {
    luaL_newstate(): LuaState;
    luaL_error(state: LuaState, message: LuaString): never;
    luaL_loadstring(state: LuaState, source: LuaString): number;
    luaL_requiref(state: LuaState, name: LuaString, open: (state: LuaState) => number, global: number): void;
  };
  export const lualib: {
    luaopen_base(state: LuaState): number;
    luaopen_table(state: LuaState): number;
  };
}
