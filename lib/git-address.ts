/** Addresses of Git repositories, as they may be shown. It deliberately judges none; the model does. */

/**
 * The address without a password or token. People keep tokens in the address of a remote, and what a command prints ends in chats and logs.
 * @param address such as `https://you:TOKEN@git.example.org/x.git`; an SSH address keeps its user, who is no secret
 */
export function withoutCredentials(address: string): string {
  return address.replace(/^(https?:\/\/)[^@/]*@/, '$1').replace(/^([a-z+]+:\/\/[^:@/]+):[^@/]*@/, '$1@');
}
