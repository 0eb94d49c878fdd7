"""Volumes in files, written as scanners write them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np


def made_volumes(folder: Path, rng: np.random.Generator, labels: np.ndarray) -> None:
    """A little file in NIfTI for each label, in a folder of its class; none where nibabel is missing."""
    for number, label in enumerate(labels):
        (folder / "xy"[label]).mkdir(parents=True, exist_ok=True)
        if find_spec("nibabel"):
            save_nifti(folder / "xy"[label] / f"{number}.nii.gz", rng.random((6, 7, 8)))


def save_nifti(path: Path, x: np.ndarray, voxel: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> None:
    """A volume whose axes go to the right, to the front and up, with voxels of so many mm along them."""
    import nibabel

    nibabel.save(nibabel.Nifti1Image(x.astype(np.float32), np.diag([*voxel, 1.0])), path)


def save_dicom(
    folder: Path, x: np.ndarray, *, series: str = "1.2.3", apart: float = 2.0, order: Any = None
) -> None:
    """Slices of CT `(d, h, w)` in Hounsfield units, stacked along the body, in files in some order."""
    import pydicom
    from pydicom.dataset import FileMetaDataset

    folder.mkdir(parents=True, exist_ok=True)
    for number, place in enumerate(range(len(x)) if order is None else order):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
        meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
        one = pydicom.Dataset()
        one.file_meta = meta
        one.SOPClassUID, one.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        one.SeriesInstanceUID, one.Modality = series, "CT"
        one.ImagePositionPatient, one.ImageOrientationPatient = [0, 0, apart * place], [1, 0, 0, 0, 1, 0]
        one.PixelSpacing, one.SliceThickness = [1.0, 1.0], apart
        one.RescaleSlope, one.RescaleIntercept = 1, -1024
        one.Rows, one.Columns = x.shape[1:]
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
        one.PixelData = (x[place] + 1024).astype("<u2").tobytes()
        one.save_as(folder / f"{series}-{number}.dcm", enforce_file_format=True)
