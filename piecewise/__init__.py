"""Maxout, ReLU and other continuous piecewise linear networks, and their regions, exactly."""

from .errors import BoxError, BudgetError, NetworkError, PiecewiseError, SliceError
from .networks.activations import absolute_layer, leaky_layer, pool_layer, relu_layer
from .networks.approximate import Approximation, freudenthal, mcshane
from .networks.box import Box, as_box
from .networks.constructors import from_cpwl, from_difference, from_max_min
from .networks.families import product, random_network, tent, zigzag
from .networks.given import AnyNetwork, as_network
from .networks.layer import MaxoutLayer
from .networks.network import MaxoutNetwork
from .regions.bounds import (
    is_relu,
    lines_bound,
    maxout_bound,
    relu_bound,
    relu_reach,
    upper_bound,
    zaslavsky,
)
from .regions.count import regions_in_plane
from .regions.counting import CellEstimate, estimate_cells
from .regions.intervals import hidden_intervals, piece_intervals
from .regions.plane import Plane
from .regions.regions import PlaneRegions, RegionCounts
from .regions.segment import SegmentRegions, regions_on_segment
from .regions.straight import pattern_runs, straight_pieces

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
    "pattern_runs",
    "piece_intervals",
    "pool_layer",
    "product",
    "random_network",
    "regions_in_plane",
    "regions_on_segment",
    "relu_bound",
    "relu_layer",
    "relu_reach",
    "straight_pieces",
    "tent",
    "upper_bound",
    "zaslavsky",
    "zigzag",
]
