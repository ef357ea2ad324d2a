import autocannon from 'autocannon';
let n = 0;
const ip = () => { n++; return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`; };
const run = async (url: string, etag?: string) => {
  const r = await autocannon({ url, connections: 20, duration: 4, requests: [{ method: 'GET', setupRequest: (q: any) => ({ ...q, headers: { ...q.headers, 'x-forwarded-for': ip(), ...(etag ? { 'if-none-match': etag } : {}) } }) }] });
  return `${Math.round(r.requests.average)}/s p99 ${r.latency.p99} ms 2xx ${r['2xx']} other ${r.non2xx}`;
};
const etag = (await fetch('http://127.0.0.1:18201/v1/realms')).headers.get('etag') ?? '';
for (let i = 0; i < 2; i++) {
  console.log('bare bytes ', await run('http://127.0.0.1:18202/'));
  console.log('bare object', await run('http://127.0.0.1:18202/object'));
  console.log('realms     ', await run('http://127.0.0.1:18201/v1/realms'));
  console.log('realms 304 ', await run('http://127.0.0.1:18201/v1/realms', etag));
}
