"""The comparison record, verdicts, figures, the report, and runs that outlive their model."""

from .carrying import carrying_figure
from .classes import Classes
from .comparison import ComparedSubspaces, Comparison, ComparisonError, Row, compare
from .difference_page import report_difference
from .figures import (
    accuracy_figure,
    confusion_figure,
    emergence_figure,
    grid_figure,
    maps_figure,
    study_figures,
    turning_figure,
)
from .folder import FolderError, fresh_folder, refuse_occupied
from .frames import Frames, frames
from .markdown import summary_lines
from .overlap import overlap_figure
from .pictures import DrawnLine, Picture, Polygon
from .record import Check, RecordError, Run, Scores, Study
from .regression import Change, RegressionError, RunDifference, compare_runs
from .report_schema import report_schema
from .requirements import Outcome, Requirement, RequirementError, check_run
from .run import write_run
from .run_reading import read_run
from .verdicts import Verdict, Verdicts
from .write import ReportError, report

__all__ = [
    "Change",
    "Check",
    "Classes",
    "ComparedSubspaces",
    "Comparison",
    "ComparisonError",
    "DrawnLine",
    "FolderError",
    "Frames",
    "Outcome",
    "Picture",
    "Polygon",
    "RecordError",
    "RegressionError",
    "ReportError",
    "Requirement",
    "RequirementError",
    "Row",
    "Run",
    "RunDifference",
    "Scores",
    "Study",
    "Verdict",
    "Verdicts",
    "accuracy_figure",
    "carrying_figure",
    "check_run",
    "compare",
    "compare_runs",
    "confusion_figure",
    "emergence_figure",
    "frames",
    "fresh_folder",
    "grid_figure",
    "maps_figure",
    "overlap_figure",
    "read_run",
    "refuse_occupied",
    "report",
    "report_difference",
    "report_schema",
    "study_figures",
    "summary_lines",
    "turning_figure",
    "write_run",
]
