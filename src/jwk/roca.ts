/** Odd primes that divide the number M of every key length for which such keys were made. */
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
const GENERATOR = 65537;

/** Each prime with the residues that a modulus of this kind can have. Where they are all residues, nothing is learned. */
const RESIDUES = PRIMES.map((prime) => ({ prime, possible: powersOf(GENERATOR % prime, prime) })).filter(
  ({ prime, possible }) => possible.size < prime - 1,
);
const PRODUCT = RESIDUES.reduce((product, { prime }) => product * BigInt(prime), 1n);

/**
 * Does a modulus bear the fingerprint of the RSA keys that Infineon's library made (CVE-2017-15361, "ROCA")? Their primes
 * have the form k·M + (65537^a mod M), so that the modulus is a power of 65537 modulo every small prime that divides M. Such
 * keys can be factored. Of other keys about one in 2^27 has the fingerprint as well.
 *
 * @param modulus big-endian
 * @see Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack", ACM CCS 2017, section 3
 */
export function isRocaModulus(modulus: Buffer): boolean {
  const rest = BigInt(`0x${modulus.toString('hex')}`) % PRODUCT;
  return RESIDUES.every(({ prime, possible }) => possible.has(Number(rest % BigInt(prime))));
}

function powersOf(base: number, prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * base) % prime) powers.add(power);
  return powers;
}
