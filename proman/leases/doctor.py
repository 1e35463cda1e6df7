"""What indexed rents must always satisfy."""

from proman.base.checks import Check

# 1.0 lets the servers reckon exactly in decimals, past what a BIGINT holds.
CHECKS = (
    Check(
        "An indexed rent is rent × new index ÷ base index, and stands on its lease",
        "lease {0}",
        "{1} × {2} ÷ {3} (thousandths) is kept as {4}; the lease says {5} (minor units).",
        """SELECT x.lease_id, x.old_rent, n.value, b.value, x.new_rent, r.amount
        FROM rent_indexations x
        JOIN rents r ON r.id = x.rent_id
        JOIN index_values b ON b.id = x.base_value_id
        JOIN index_values n ON n.id = x.new_value_id
        WHERE r.amount <> x.new_rent OR r.lease_id <> x.lease_id
            OR r.effective_from <> x.effective_from OR b.series_id <> n.series_id
            OR ABS(2.0 * (1.0 * x.new_rent * b.value - 1.0 * x.old_rent * n.value)) > b.value""",
    ),
    Check(
        "An index value that a rent was reckoned from was published by the day of the notice",
        "lease {0}",
        "The notice of {1} counts on a value of {2} and one of {3}, published {4} and {5}.",
        """SELECT x.lease_id, x.notice_day, b.month, n.month, b.published_on, n.published_on
        FROM rent_indexations x
        JOIN index_values b ON b.id = x.base_value_id
        JOIN index_values n ON n.id = x.new_value_id
        WHERE b.published_on > x.notice_day OR n.published_on > x.notice_day
            OR n.month <= b.month""",
    ),
)
