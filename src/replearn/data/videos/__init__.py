"""Clips of videos: a few frames each, from files, folders of frames and arrays, or made."""

from replearn.data.videos.files import is_video_name, videos_in_files, videos_in_folders
from replearn.data.videos.moving import Moving, bouncing, moving_digits
from replearn.data.videos.samples import VideoSamples
from replearn.data.videos.windows import Windows

__all__ = [
    "Moving",
    "VideoSamples",
    "Windows",
    "bouncing",
    "is_video_name",
    "moving_digits",
    "videos_in_files",
    "videos_in_folders",
]
