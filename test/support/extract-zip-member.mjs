// @ts-check
/** Takes one file out of a zip archive, so that no `unzip` is needed. Reads what pip downloads, not any zip. */
import { crc32, inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_BYTES = 22;
const DEFLATED = 8;

/**
 * @param {Buffer} zip
 * @returns {{ count: number, offset: number }} how many entries the central directory has, and where it begins
 */
function findDirectory(zip) {
  for (let at = zip.length - END_OF_DIRECTORY_BYTES; at >= 0; at -= 1) {
    if (zip.readUInt32LE(at) === END_OF_DIRECTORY) {
      return { count: zip.readUInt16LE(at + 10), offset: zip.readUInt32LE(at + 16) };
    }
  }
  throw new Error('not a zip archive: it has no central directory');
}

/**
 * @param {Buffer} zip
 * @param {number} at where the directory's entry begins
 */
const readEntry = (zip, at) => {
  const nameBytes = zip.readUInt16LE(at + 28);
  return {
    name: zip.toString('utf8', at + 46, at + 46 + nameBytes),
    method: zip.readUInt16LE(at + 10),
    crc: zip.readUInt32LE(at + 16),
    packedBytes: zip.readUInt32LE(at + 20),
    localHeader: zip.readUInt32LE(at + 42),
    next: at + 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32),
  };
};

/**
 * @param {Buffer} zip the archive
 * @param {string} member its name there
 * @returns {Buffer} the unpacked bytes, their CRC checked
 * @throws {Error} where there is no such member, or it is damaged
 */
export function extractZipMember(zip, member) {
  const directory = findDirectory(zip);
  let at = directory.offset;
  for (let index = 0; index < directory.count; index += 1) {
    const entry = readEntry(zip, at);
    if (entry.name === member) return unpack(zip, entry);
    at = entry.next;
  }
  throw new Error(`the archive has no ${member}`);
}

/**
 * @param {Buffer} zip
 * @param {ReturnType<typeof readEntry>} entry
 * @returns {Buffer}
 */
function unpack(zip, entry) {
  const { localHeader: at } = entry;
  const start = at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
  const packed = zip.subarray(start, start + entry.packedBytes);
  const bytes = entry.method === DEFLATED ? inflateRawSync(packed) : packed;
  if (crc32(bytes) !== entry.crc) throw new Error(`${entry.name} is damaged in the archive`);
  return bytes;
}
