import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { endpointName } from './connection.js';

/** The server's portions. */
const portion = 64 << 10;

/** Uploads a file and offers it to the peer. `create` says to whom; `content` is bytes, or an open file (FileHandle). */
export async function sendFile(client, create, content, fileName, { mediaType = '', requestId = randomUUID() } = {}) {
  const size = content instanceof Uint8Array ? content.length : (await content.stat()).size;
  const file = await client.call('files', 'createFile', { ...create, requestId, fileName, mediaType, size });
  const hash = createHash('sha256');
  for (let offset = 0; offset < size; offset += portion) {
    const data = await readAt(content, offset, Math.min(portion, size - offset));
    hash.update(data);
    if (offset >= Number(file.storedSize)) await client.call('files', 'uploadFile', { name: file.name, offset, data });
  }
  return client.call('files', 'completeFile', { name: file.name, requestId: randomUUID(), sha256: hash.digest() });
}

/** Downloads a file that was received, to an open file or, without one, to a Buffer. */
export async function downloadFile(client, file, destination) {
  const hash = createHash('sha256');
  const parts = [];
  let offset = 0;
  if (destination) {
    const { size } = await destination.stat();
    for (; offset < size; offset += portion) hash.update(await readAt(destination, offset, Math.min(portion, size - offset)));
    offset = size;
  }
  for (;;) {
    let data;
    try {
      ({ data } = await client.call('files', 'downloadFile', { name: file.name, offset }));
    } catch (error) {
      if (error.reason !== 'CURSOR_BEYOND_END') throw error;
      break;
    }
    if (data.length === 0) break;
    hash.update(data);
    if (destination) await writeAt(destination, data, offset);
    else parts.push(data);
    offset += data.length;
  }
  const digest = hash.digest();
  if (file.sha256.length !== digest.length || !timingSafeEqual(digest, file.sha256))
    throw new Error('What was downloaded has another digest than the file; delete it and download it again.');
  return destination ? undefined : Buffer.concat(parts);
}

export async function* listFiles(client, endpoint) {
  for (let pageToken = ''; ;) {
    const page = await client.call('files', 'listFiles', { parent: endpointName(endpoint), pageToken });
    yield* page.files;
    pageToken = page.nextPageToken;
    if (pageToken === '') return;
  }
}

async function readAt(content, offset, length) {
  if (content instanceof Uint8Array) return content.subarray(offset, offset + length);
  const data = Buffer.alloc(length);
  for (let read = 0; read < length;) {
    const { bytesRead } = await content.read(data, read, length - read, offset + read);
    if (bytesRead === 0) throw new Error('The file has become shorter while it was read.');
    read += bytesRead;
  }
  return data;
}

async function writeAt(destination, data, offset) {
  for (let written = 0; written < data.length;) {
    written += (await destination.write(data, written, data.length - written, offset + written)).bytesWritten;
  }
}
