import type { Config } from '../config/config.js';
import { RecordedRequestError } from '../fronts/envoy/recorded-request.js';

const TOKEN = /^(?:(?:Bearer|DPoP) +)?(\S+)$/i;

/**
 * The header in which a client would send a token: the first place of `credentials` that a header can fill.
 *
 * @param text the content of a file: a token, with or without its scheme
 * @param options hasProof: the request has a DPoP proof, so the scheme is DPoP
 * @throws RecordedRequestError without any part of the text
 */
export function credentialHeader(
  text: string,
  { config, hasProof }: { readonly config: Config; readonly hasProof: boolean },
): [name: string, value: string] {
  const token = TOKEN.exec(text.trim())?.[1];
  if (token === undefined)
    throw new RecordedRequestError('the token file must hold one token and nothing else');
  for (const { header, prefix = '', cookie } of config.credentials) {
    if (header === 'authorization') return [header, `${hasProof ? 'DPoP' : 'Bearer'} ${token}`];
    if (header !== undefined) return [header, prefix + token];
    if (cookie !== undefined) return ['cookie', `${cookie}=${token}`];
  }
  throw new RecordedRequestError('tokens come in the query only; put the token into the URL');
}
