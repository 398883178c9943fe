"""Maxout, ReLU and other continuous piecewise linear networks, and their regions, exactly."""

from .activations import absolute_layer, leaky_layer, pool_layer, relu_layer
from .approximate import Approximation, freudenthal, mcshane
from .bounds import (
    is_relu,
    lines_bound,
    maxout_bound,
    relu_bound,
    relu_reach,
    upper_bound,
    zaslavsky,
)
from .box import Box, as_box
from .count import CellEstimate, estimate_cells, regions_in_plane
from .errors import BoxError, BudgetError, NetworkError, PiecewiseError, SliceError
from .families import product, random_network, tent, zigzag
from .given import AnyNetwork, as_network
from .interpolate import from_cpwl, from_difference, from_max_min
from .intervals import hidden_intervals, piece_intervals
from .layer import MaxoutLayer
from .network import MaxoutNetwork
from .plane import Plane
from .regions import PlaneRegions, RegionCounts
from .segment import SegmentRegions, regions_on_segment

__all__ = [
    "AnyNetwork",
    "Approximation",
    "Box",
    "BoxError",
    "BudgetError",
    "CellEstimate",
    "MaxoutLayer",
    "MaxoutNetwork",
    "NetworkError",
    "PiecewiseError",
    "Plane",
    "PlaneRegions",
    "RegionCounts",
    "SegmentRegions",
    "SliceError",
    "absolute_layer",
    "as_box",
    "as_network",
    "estimate_cells",
    "freudenthal",
    "from_cpwl",
    "from_difference",
    "from_max_min",
    "hidden_intervals",
    "is_relu",
    "leaky_layer",
    "lines_bound",
    "maxout_bound",
    "mcshane",
    "piece_intervals",
    "pool_layer",
    "product",
    "random_network",
    "regions_in_plane",
    "regions_on_segment",
    "relu_bound",
    "relu_layer",
    "relu_reach",
    "tent",
    "upper_bound",
    "zaslavsky",
    "zigzag",
]
