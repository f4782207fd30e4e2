/* Reads the gray values of PNG images. */

/* Return {width, height, crop(x, y, width, height)}; `crop` returns the bytes of a rectangle. */
export async function readPng(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const crop = (x, y, width, height) => {
    const { data } = context.getImageData(x, y, width, height);
    return Uint8Array.from({ length: width * height }, (_, pixel) => data[pixel * 4]);
  };
  return { width: bitmap.width, height: bitmap.height, crop };
}
