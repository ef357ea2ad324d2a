/**
 * The sealing key of a cluster: the certificate in Git, the private key outside of it, and whether somebody proved that the two open every value.
 * It deliberately shows nothing of the key but its fingerprint.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { lastRecoveryDrill } from '../secrets/drill';
import { DRILL_DAYS } from '../secrets/drill-due';
import { CERTIFICATE_FILE, certificateFile, KEYS_FOLDER, PRIVATE_KEY_MODE, privateKeyFile } from '../secrets/keys';
import { fingerprintOf, readCertificate, readPrivateKey, type SealingCertificate, SecretsError } from '../secrets/sealing';
import { type ClusterContext, type ClusterGroup, type Finding, failed, ok, warning } from './types';

const DAY = 24 * 60 * 60 * 1000;
/** A certificate that expires soon; the controller opens values after it, and kubeseal refuses to seal. */
const CERTIFICATE_DAYS = 90;

export const keys: ClusterGroup = {
  name: 'keys',
  scope: 'cluster',
  look: async (context) => {
    const { root, cluster } = context;
    const place = `secrets/${cluster.name}/${CERTIFICATE_FILE}`;
    const certificate = readOwn(certificateFile(root, cluster.name), place);
    if (!('publicKey' in certificate)) return [certificate];
    return [
      ...judgeCertificate(certificate, place, context),
      ...(certificate.example ? [] : [...privateKey(certificate, context), drill(certificate, context)]),
      ...(await outsideGit(context)),
    ];
  },
};

function readOwn(file: string, place: string): SealingCertificate | Finding {
  if (!existsSync(file)) return failed('certificate', `${place} is missing: nothing can be sealed.`, 'npm run init');
  try {
    return readCertificate(readFileSync(file, 'utf8'), place);
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    return failed(
      'certificate',
      error.problems[0] ?? `${place} cannot be read.`,
      `Take ${place} from Git's history, or make a new key: npm run init`,
    );
  }
}

function judgeCertificate(certificate: SealingCertificate, place: string, { now, cluster }: ClusterContext): Finding[] {
  if (certificate.example)
    return [
      failed(
        'example-key',
        `${place} is the example's, whose private key was thrown away: no cluster can open these values.`,
        `npm run init (or make a key and new values by hand: docs/how-to/secrets.md, for cluster ${cluster.name})`,
      ),
    ];
  const days = Math.floor((certificate.validTo.getTime() - now.getTime()) / DAY);
  const until = certificate.validTo.toISOString().slice(0, 10);
  return [
    days > CERTIFICATE_DAYS
      ? ok('certificate', `${place} is your own, valid until ${until}.`)
      : warning(
          'certificate',
          `${place} ${days < 0 ? `expired on ${until}` : `expires on ${until}`}; what is sealed still opens, but kubeseal will refuse to seal.`,
          'Renew the certificate of the same key (docs/how-to/secrets.md).',
        ),
  ];
}

function privateKey(certificate: SealingCertificate, { root, cluster }: ClusterContext): Finding[] {
  const file = privateKeyFile(root, cluster.name);
  const place = path.relative(root, file);
  if (!existsSync(file)) {
    const proven = safeDrill(root, cluster.name);
    return [
      proven?.fingerprint === certificate.keyFingerprint
        ? warning(
            'private-key',
            `${place} is not on this machine; on ${proven.date} a drill opened everything with it, so it is somewhere.`,
            `Nothing, if you know where it is. For a first installation or a drill, bring it back: install -D -m 600 BACKUP ${place}`,
          )
        : failed(
            'private-key',
            `${place} is not on this machine, and no drill proved that anybody has it: without it a lost cluster loses every secret.`,
            `Bring it back from where you keep it: install -D -m 600 BACKUP ${place}`,
          ),
    ];
  }
  const findings: Finding[] = [];
  const mode = statSync(file).mode & 0o777;
  findings.push(
    (mode & 0o077) === 0
      ? ok('private-key-mode', `${place} is for you alone (mode ${mode.toString(8).padStart(4, '0')}).`)
      : failed(
          'private-key-mode',
          `Others on this machine may read ${place} (mode ${mode.toString(8).padStart(4, '0')}).`,
          `chmod ${PRIVATE_KEY_MODE.toString(8)} ${place}`,
        ),
  );
  const fingerprint = fingerprintIn(readFileSync(file, 'utf8'), place);
  if (fingerprint === undefined)
    findings.push(
      failed('private-key', `${place} is no private key in PEM.`, `Bring the right file back: install -D -m 600 BACKUP ${place}`),
    );
  else if (fingerprint !== certificate.keyFingerprint)
    findings.push(
      failed(
        'private-key',
        `${place} is another key (${fingerprint.slice(0, 19)}…) than that of secrets/${cluster.name}/${CERTIFICATE_FILE} (${certificate.keyFingerprint.slice(0, 19)}…): it opens nothing.`,
        `Bring the right key back, or the certificate that belongs to it: git log -- secrets/${cluster.name}/${CERTIFICATE_FILE}`,
      ),
    );
  else findings.push(ok('private-key', `${place} is the key of the certificate.`));
  return findings;
}

/** Of the key that a text holds; undefined when it holds none that can be read. */
function fingerprintIn(pem: string, place: string): string | undefined {
  try {
    return fingerprintOf(readPrivateKey(pem, place));
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    return undefined;
  }
}

function safeDrill(root: string, name: string) {
  try {
    return lastRecoveryDrill(root, name);
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    return undefined;
  }
}

function drill(certificate: SealingCertificate, { root, cluster, now }: ClusterContext): Finding {
  const fix = `Fetch the key from where its backup is, and: npm run seal -- --cluster ${cluster.name} --verify --key FILE`;
  const last = safeDrill(root, cluster.name);
  if (last === undefined)
    return warning('key-backup', 'No recovery drill was made yet: whether the backup of the private key opens anything is unknown.', fix);
  if (last.fingerprint !== certificate.keyFingerprint)
    return warning(
      'key-backup',
      `The last recovery drill, on ${last.date}, was made with an earlier key and says nothing of this one.`,
      fix,
    );
  if (last.key === 'in-use')
    return warning(
      'key-backup',
      `Everything opened on ${last.date}, but with the key in use: whether its backup opens anything is unknown.`,
      fix,
    );
  const days = Math.floor((now.getTime() - Date.parse(last.date)) / DAY);
  return days <= DRILL_DAYS
    ? ok('key-backup', `The last recovery drill opened every value on ${last.date}.`)
    : warning('key-backup', `The last recovery drill was made ${days} days ago, on ${last.date}.`, fix);
}

async function outsideGit({ root, run, cluster }: ClusterContext): Promise<Finding[]> {
  const place = path.relative(root, privateKeyFile(root, cluster.name));
  const tracked = await run('git', ['-C', root, 'ls-files', '--', KEYS_FOLDER]);
  if (tracked === undefined || tracked.code !== 0) return [];
  if (tracked.output.trim() !== '')
    return [
      failed(
        'key-outside-git',
        `${tracked.output.trim().split('\n')[0]} is in Git: everybody who can read the repository can open every secret.`,
        `git rm --cached -r ${KEYS_FOLDER}, and then, because the history keeps it, a new key and new values (docs/disaster-recovery.md).`,
      ),
    ];
  const ignored = await run('git', ['-C', root, 'check-ignore', '--quiet', '--', place]);
  return [
    ignored?.code === 0
      ? ok('key-outside-git', `Git ignores ${KEYS_FOLDER}/.`)
      : failed('key-outside-git', `Git does not ignore ${place}; 'git add .' would publish it.`, `Put /${KEYS_FOLDER}/ into .gitignore.`),
  ];
}
