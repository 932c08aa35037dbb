"""Callbacks: what reacts to documents."""

from daisy_bluesky.callbacks._damage_watcher import DamageWatcher, SignalWindow
from daisy_bluesky.callbacks._decision_check import DecisionCheck, check_decisions
from daisy_bluesky.callbacks._frame_sum import FrameSum
from daisy_bluesky.callbacks._intake import Visits
from daisy_bluesky.callbacks._journal import Journal
from daisy_bluesky.callbacks._next_probe import STEERING, Decision, NextProbe
from daisy_bluesky.callbacks._objective_evidence import ObjectiveEvidence
from daisy_bluesky.callbacks._objective_probe import ObjectiveProbe, map_key
from daisy_bluesky.callbacks._progress import ProgressReporter
from daisy_bluesky.callbacks._recommender import CLASSIFIER, DWELL_LIMITS, ROI, SAMPLING_MODEL, make_recommender
from daisy_bluesky.callbacks._registered_frame import REGISTRATION, RegisteredFrame, stored_registrations
from daisy_bluesky.callbacks._scree_watcher import ScreeWatcher
from daisy_bluesky.callbacks._spending import Spending
from daisy_bluesky.callbacks._stored import drive, stored_models
from daisy_bluesky.callbacks._weighing import Weighing

__all__ = [
    "CLASSIFIER",
    "DWELL_LIMITS",
    "REGISTRATION",
    "ROI",
    "SAMPLING_MODEL",
    "STEERING",
    "DamageWatcher",
    "Decision",
    "DecisionCheck",
    "FrameSum",
    "Journal",
    "NextProbe",
    "ObjectiveEvidence",
    "ObjectiveProbe",
    "ProgressReporter",
    "RegisteredFrame",
    "ScreeWatcher",
    "SignalWindow",
    "Spending",
    "Visits",
    "Weighing",
    "check_decisions",
    "drive",
    "make_recommender",
    "map_key",
    "stored_models",
    "stored_registrations",
]
