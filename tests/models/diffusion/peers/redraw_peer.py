"""Ultimate SD Upscale, slowly: whole masks drawn, blurred and pasted with Pillow and OpenCV, as its hosts do. Written
from the description in the tools' documentation, apart from upbench. In place of the model: 0.05 + 0.9 (1 - x), where
the latent mask says so."""
import math

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from peer import write

FACTOR = 8

# size, tile, order, crop rule, blur, padding, seam fix, seam width, seam blur, seam padding
CASES = {
    "linear": ((176, 128), (64, 64), "linear", "a1111", 4, 16, "none", 64, 4, 16),
    "sharp": ((176, 128), (64, 64), "linear", "a1111", 0, 8, "none", 64, 4, 16),
    "wide-blur": ((160, 96), (64, 48), "chess", "a1111", 8, 32, "none", 64, 4, 16),
    "band": ((192, 128), (64, 64), "chess", "a1111", 2, 8, "band", 24, 4, 20),
    "half-tile": ((128, 192), (64, 64), "linear", "a1111", 4, 8, "half-tile", 64, 4, 16),
    "corners": ((128, 128), (64, 64), "none", "a1111", 4, 8, "half-tile-intersections", 64, 2, 8),
    "comfy": ((176, 128), (64, 64), "linear", "comfy", 4, 16, "none", 64, 4, 16),
    "comfy-seams": ((192, 128), (64, 64), "chess", "comfy", 8, 24, "half-tile-intersections", 64, 4, 16),
    "comfy-band": ((192, 128), (64, 64), "linear", "comfy", 4, 24, "band", 32, 4, 16),
    "comfy-minimal": ((171, 133), (64, 56), "linear", "comfy-minimal", 4, 16, "none", 64, 4, 16),
    "comfy-small": ((70, 50), (64, 64), "linear", "comfy", 3, 16, "none", 64, 4, 16),
}


def gradient():
    return Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 256, axis=1))


def ramp_down(width, height):
    """Black, white in the middle, black."""
    half = height // 2
    picture = Image.new("L", (width, height), 0)
    picture.paste(gradient().resize((width, half), Image.Resampling.BICUBIC), (0, 0))
    picture.paste(ImageOps.flip(gradient()).resize((width, half), Image.Resampling.BICUBIC), (0, half))
    return picture


def ramp_across(width, height):
    return ramp_down(height, width).transpose(Image.Transpose.TRANSPOSE)


def radial(width, height):
    return ImageOps.invert(Image.radial_gradient("L").resize((width, height), Image.Resampling.BICUBIC))


def jobs_of(case):
    """(pass, mask picture or None for a rectangle, left, top, processing size, blur, padding), in order."""
    (width, height), (tw, th), order, rule, blur, padding, fix, band, seam_blur, seam_padding = case
    columns, rows = math.ceil(width / tw), math.ceil(height / th)
    cells = [(x, y) for y in range(rows) for x in range(columns)]
    if order == "chess":
        cells = [c for c in cells if sum(c) % 2 == 0] + [c for c in cells if sum(c) % 2 == 1]
    if order == "none":
        cells = []
    multiple, beside = (64, padding) if rule == "a1111" else (8, 2 * padding)
    size = tuple(math.ceil((t + beside) / multiple) * multiple for t in (tw, th))
    jobs = [("tile", None, x * tw, y * th, size, blur, padding) for x, y in cells]
    side = band + 2 * seam_padding
    if fix == "band":
        mirrored = Image.new("L", (256, 256))
        mirrored.paste(ramp_down(256, 256), (0, 0))
        across = mirrored.transpose(Image.Transpose.TRANSPOSE).resize((band, height), Image.Resampling.BICUBIC)
        down = mirrored.resize((width, band), Image.Resampling.BICUBIC)
        jobs += [("seam", across, x * tw - band // 2, 0, (side, height), 0, seam_padding) for x in range(1, columns)]
        jobs += [("seam", down, 0, y * th - band // 2, (width, side), 0, seam_padding) for y in range(1, rows)]
    if fix.startswith("half-tile"):
        jobs += [("seam", ramp_down(tw, th), x * tw, y * th + th // 2, (tw, th), seam_blur, seam_padding)
                 for y in range(rows - 1) for x in range(columns)]
        jobs += [("seam", ramp_across(tw, th), x * tw + tw // 2, y * th, (tw, th), seam_blur, seam_padding)
                 for y in range(rows) for x in range(columns - 1)]
    if fix == "half-tile-intersections":
        jobs += [("seam", radial(tw, th), x * tw + tw // 2, y * th + th // 2, (tw, th), seam_blur, 0)
                 for y in range(rows - 1) for x in range(columns - 1)]
    return jobs


def spread(begin, end, wanted, limit):
    more = int(wanted - (end - begin))
    begin, end = begin - more // 2, end + more - more // 2
    if end > limit:
        begin, end = begin - (end - limit), limit
    if begin < 0:
        begin, end = 0, end - begin
    return begin, min(end, limit)


def fill(picture, size):
    """A1111's resize mode 2."""
    (w, h), (pw, ph) = size, picture.size
    iw, ih = (w if w / h < pw / ph else pw * h // ph), (h if w / h >= pw / ph else ph * w // pw)
    inside = np.array(picture if (iw, ih) == picture.size else picture.resize((iw, ih), Image.Resampling.LANCZOS))
    left, above = w // 2 - iw // 2, h // 2 - ih // 2
    around = [(above, h - ih - above), (left, w - iw - left)] + [(0, 0)] * (inside.ndim - 2)
    return Image.fromarray(np.pad(inside, around, mode="edge"))


def cover(picture, size):
    """A1111's resize mode 1."""
    (w, h), (pw, ph) = size, picture.size
    iw, ih = (w if w / h > pw / ph else pw * h // ph), (h if w / h <= pw / ph else ph * w // pw)
    over = picture if (iw, ih) == picture.size else picture.resize((iw, ih), Image.Resampling.LANCZOS)
    left, above = iw // 2 - w // 2, ih // 2 - h // 2
    return over.crop((left, above, left + w, above + h))


def model(picture, redrawn):
    x = np.asarray(picture, dtype=np.float32) / np.float32(255)
    made = (np.float32(1) - x) * np.float32(0.9) + np.float32(0.05)
    made = np.where(redrawn[..., None], made, x)
    return Image.fromarray((np.clip(made, 0, 1) * np.float32(255)).astype(np.uint8))


def a1111(picture, mask, size, blur, padding):
    if blur > 0:
        taps = 2 * int(2.5 * blur + 0.5) + 1
        levels = cv2.GaussianBlur(np.array(mask), (taps, 1), blur)
        mask = Image.fromarray(cv2.GaussianBlur(levels, (1, taps), blur))
    left, top, right, bottom = mask.getbbox()
    left, top = max(left - padding, 0), max(top - padding, 0)
    right, bottom = min(right + padding, picture.width), min(bottom + padding, picture.height)
    if (right - left) / (bottom - top) > size[0] / size[1]:
        top, bottom = spread(top, bottom, (right - left) / (size[0] / size[1]), picture.height)
    else:
        left, right = spread(left, right, (bottom - top) * (size[0] / size[1]), picture.width)
    crop = (left, top, right, bottom)
    inside = fill(mask.crop(crop), size).resize((size[0] // FACTOR, size[1] // FACTOR), Image.Resampling.BICUBIC)
    latent = np.around(np.array(inside, dtype=np.float32) / 255) > 0
    redrawn = latent.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    made = model(fill(picture.crop(crop), size), redrawn)

    beneath = Image.new("RGBA", picture.size)
    beneath.paste(cover(made, (right - left, bottom - top)), (left, top))
    kept = Image.new("RGBa", picture.size)
    kept.paste(picture.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    beneath.alpha_composite(kept.convert("RGBA"))
    return beneath.convert("RGB"), crop


def comfy(picture, mask, size, blur, padding, is_tile, uniform, drawn):
    left, top, right, bottom = mask.getbbox()
    if is_tile:  # without the pixel more of the drawing
        right, bottom = right - (right == drawn[0]), bottom - (bottom == drawn[1])
    left, top = max(left - padding, 0), max(top - padding, 0)
    right, bottom = min(right + padding, picture.width), min(bottom + padding, picture.height)
    if not uniform:
        size = (math.ceil((right - left) / 8) * 8, math.ceil((bottom - top) / 8) * 8)
    scale = max(1.0, (right - left) / size[0], (bottom - top) / size[1])
    left, right = spread(left, right, math.floor(size[0] * scale + 0.5), picture.width)
    top, bottom = spread(top, bottom, math.floor(size[1] * scale + 0.5), picture.height)
    crop = (left, top, right, bottom)
    tile = picture.crop(crop)
    if tile.size != size:
        tile = tile.resize(size, Image.Resampling.LANCZOS)
    made = model(tile, np.ones((size[1], size[0]), dtype=bool))
    if made.size != (right - left, bottom - top):
        made = made.resize((right - left, bottom - top), Image.Resampling.LANCZOS)
    alpha = mask.filter(ImageFilter.GaussianBlur(blur)) if blur > 0 else mask
    upper = Image.new("RGBA", picture.size)
    upper.paste(made, (left, top))
    shown = upper.copy()
    shown.putalpha(alpha)
    upper.paste(shown, upper)
    result = picture.convert("RGBA")
    result.alpha_composite(upper)
    return result.convert("RGB"), crop


def run(case, picture):
    (width, height), (tw, th), _, rule = case[:4]
    crops = []
    for kind, shape, left, top, size, blur, padding in jobs_of(case):
        mask = Image.new("L", (width, height), 0)
        if kind == "tile":
            ImageDraw.Draw(mask).rectangle((left, top, left + tw, top + th), fill=255)
        else:
            mask.paste(shape, (left, top))
        if rule == "a1111":
            picture, crop = a1111(picture, mask, size, blur, padding)
        else:
            drawn = (left + tw + 1, top + th + 1)
            picture, crop = comfy(picture, mask, size, blur, padding, kind == "tile", rule == "comfy", drawn)
        crops.append(crop)
    return picture, crops


def main():
    random = np.random.default_rng(7)
    tensors = {}
    for name, case in CASES.items():
        width, height = case[0]
        coarse = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        noisy = np.clip(np.asarray(picture, dtype=int) + random.integers(-20, 21, (height, width, 3)), 0, 255)
        picture = Image.fromarray(noisy.astype(np.uint8))
        made, crops = run(case, picture)
        tensors[f"{name}.in"] = torch.from_numpy(np.array(picture))
        tensors[f"{name}.out"] = torch.from_numpy(np.array(made))
        tensors[f"{name}.crops"] = torch.tensor(crops, dtype=torch.int64)
    write(tensors, "pillow", "numpy")


if __name__ == "__main__":
    main()
