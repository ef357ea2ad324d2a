/**
 * The page's one HTML document: a place for the script to work in, and what the script must know before its first request.
 * It deliberately has no script or style of its own: the content security policy allows none.
 */
import { strongEtag } from '../realms/etag.ts';
import type { Settings } from '../settings.ts';
import type { PageBundle } from './build.ts';

/** What the page is told with the document. Nothing secret: everybody may read it. */
export interface PageConfig {
  readonly registration: 'invite' | 'open' | 'closed';
  readonly openId: readonly { readonly name: string; readonly title: string }[];
  readonly downloadUrl: string | null;
  /** Whether reset links can be sent by mail. */
  readonly mail: boolean;
  /** Content that one can ask for an instance of. */
  readonly instances: readonly { readonly name: string; readonly title: string }[];
}

/** Paths that are the page's own; each gives the same document. The script has the same list (page/router.ts), a test compares them. */
export const PAGE_PATHS = ['/', '/log-in', '/register', '/recover', '/reset', '/choose-name', '/characters', '/account'] as const;

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A gate, in the colour of the page's accent. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%235b5bd6' d='M2 15V7a6 6 0 0 1 12 0v8h-3V7a3 3 0 0 0-6 0v8z'/%3E%3C/svg%3E";

export function pageConfig(settings: Settings): PageConfig {
  return {
    registration: settings.registration,
    openId: settings.openId.map(({ name, title }) => ({ name, title })),
    downloadUrl: settings.game.downloadUrl ?? null,
    mail: settings.mail !== undefined,
    instances: settings.instances.map(({ name, title }) => ({ name, title })),
  };
}

export function pageShell(settings: Settings, { script, style }: PageBundle): { readonly body: Buffer; readonly etag: string } {
  const body = Buffer.from(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Player portal</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="/assets/${style.file}">
<script type="module" src="/assets/${script.file}"></script>
</head>
<body>
<div id="page" data-config="${escapeHtml(JSON.stringify(pageConfig(settings)))}"><noscript><p>This page needs JavaScript. The game’s own client does not need this page.</p></noscript></div>
</body>
</html>
`);
  return { body, etag: strongEtag(body) };
}
