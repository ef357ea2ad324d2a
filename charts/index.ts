/** The platform at a glance: every component, one line each, in the order in which Argo CD starts them (which follows from their needs, not from this list). */
import type { Component } from '../lib/component';
import { namespaces } from './namespaces';

export const components: readonly Component[] = [namespaces];
