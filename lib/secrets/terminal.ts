/**
 * Asks a person in the terminal: openly, or without an echo for what nobody should see. It deliberately judges no answer.
 */
import { createInterface } from 'node:readline/promises';
import { SecretsError } from './sealing';

/** Asks for a line with the terminal's own editing. Ctrl-C and the end of input are a SecretsError. */
export async function askOpenly(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<string>((resolve, reject) => {
      terminal.once('SIGINT', () => reject(interrupted('written')));
      terminal.once('close', () => reject(interrupted('written')));
      terminal.question(question).then(resolve, reject);
    });
  } finally {
    terminal.close();
  }
}

/** Reads a line from the terminal in raw mode, which echoes nothing. Ctrl-C ends the program as everywhere. */
export function askHidden(text: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(text);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve, reject) => {
    let line = '';
    const end = () => {
      stdin.off('data', read);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    };
    const read = (input: string) => {
      for (const character of input) {
        if (character === '\r' || character === '\n') {
          end();
          resolve(line);
          return;
        }
        if (character === '\u0003' || character === '\u0004') {
          end();
          reject(interrupted('sealed'));
          return;
        }
        line = character === '\u007f' || character === '\b' ? line.slice(0, -1) : line + character;
      }
    };
    stdin.on('data', read);
  });
}

/** All of standard input. */
export async function readStandardInput(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function interrupted(notYet: 'written' | 'sealed'): SecretsError {
  return new SecretsError([`Interrupted; nothing was ${notYet}.`]);
}
