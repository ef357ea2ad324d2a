/**
 * Which view is shown: the path of the address bar, changed without a reload.
 * It deliberately has no parameters and no nesting; the page is small.
 */
import { useEffect, useState } from 'preact/hooks';

/** The page's own paths; the server answers each with the same document (src/page/shell.ts). */
export const PATHS = ['/', '/log-in', '/register', '/recover', '/reset', '/choose-name', '/characters', '/account'] as const;
export type Path = (typeof PATHS)[number];

const listeners = new Set<() => void>();

export const currentPath = (): Path => PATHS.find((path) => path === location.pathname) ?? '/';

/** @param replace the address that is left makes no sense to come back to */
export function go(path: Path, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (path !== location.pathname || location.hash !== '' || location.search !== '') {
    history[replace ? 'replaceState' : 'pushState'](null, '', path);
  }
  for (const listener of listeners) listener();
}

export function usePath(): Path {
  const [path, setPath] = useState(currentPath);
  useEffect(() => {
    const update = () => setPath(currentPath());
    listeners.add(update);
    addEventListener('popstate', update);
    return () => {
      listeners.delete(update);
      removeEventListener('popstate', update);
    };
  }, []);
  return path;
}

/** For links: follows plain clicks inside the page and leaves the others (new tab, other button) to the browser. */
export function onLinkClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const path = PATHS.find((own) => own === (event.currentTarget as HTMLAnchorElement).pathname);
  if (path === undefined) return;
  event.preventDefault();
  go(path);
}
