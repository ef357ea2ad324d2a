/** The platform at a glance: every component, one line each, in the order in which Argo CD starts them (which follows from their needs, not from this list). */
import type { Component } from '../lib/component';
import { agones } from './agones';
import { argoCd } from './argo-cd';
import { certManager } from './cert-manager';
import { cloudnativePg } from './cloudnative-pg';
import { connectBroker } from './connect-broker';
import { database } from './database';
import { instances } from './instances';
import { k8up } from './k8up';
import { metallb } from './metallb';
import { metricsServer } from './metrics-server';
import { monitoring } from './monitoring';
import { namespaces } from './namespaces';
import { pihole } from './pihole';
import { probes } from './probes';
import { realms } from './realms';
import { sealedSecrets } from './sealed-secrets';
import { traefik } from './traefik';
import { worldBackups } from './world-backups';

export const components: readonly Component[] = [
  namespaces,
  argoCd,
  sealedSecrets,
  certManager,
  metallb,
  metricsServer,
  traefik,
  cloudnativePg,
  k8up,
  agones,
  monitoring,
  probes,
  database,
  pihole,
  connectBroker,
  instances,
  realms,
  worldBackups,
];
