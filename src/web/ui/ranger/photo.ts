/** A photo small enough for one bar of signal: long side 1280 px, 150 kB. */
const LONG_SIDE_PX = 1280;
const LIMIT_BYTES = 150_000;
/** Tried in turn; the last step also halves the picture. */
const STEPS: [quality: number, scale: number][] = [
  [0.75, 1],
  [0.6, 1],
  [0.45, 1],
  [0.5, 0.75],
  [0.45, 0.5],
];

/** Throws when the file is no picture the phone can read. */
export async function shrink(file: Blob): Promise<Blob> {
  const image = await decode(file);
  const fit = Math.min(1, LONG_SIDE_PX / Math.max(image.naturalWidth, image.naturalHeight));
  let smallest: Blob | null = null;
  for (const [quality, scale] of STEPS) {
    smallest = await encode(image, fit * scale, quality);
    if (smallest && smallest.size <= LIMIT_BYTES) break;
  }
  if (!smallest) throw new Error('not encodable');
  return smallest;
}

/** Through an <img>, because that applies the camera's rotation on every phone that has the page. */
function decode(file: Blob): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const url = URL.createObjectURL(file);
    const image = new Image();
    image.onload = () => {
      URL.revokeObjectURL(url);
      resolve(image);
    };
    image.onerror = () => {
      URL.revokeObjectURL(url);
      reject(new Error('not readable'));
    };
    image.src = url;
  });
}

function encode(image: HTMLImageElement, scale: number, quality: number): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
}
