//! Which columns have room, and how wide each is.

/// A column between name and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// The lamp's word.
    Word,
    /// HTTP status.
    Status,
    /// What the last probe took.
    Now,
    /// Of 24 hours.
    P50,
    /// Of 24 hours.
    P95,
    /// Availability over an hour.
    Hour,
    /// Over 24 hours.
    Day,
    /// Over 30 days.
    Month,
    /// The last results.
    Strip,
    /// Since when it is as it is.
    Since,
}

impl Column {
    /// In the order in which they stand.
    pub(super) const ALL: [Self; 10] = [
        Self::Word,
        Self::Status,
        Self::Now,
        Self::P50,
        Self::P95,
        Self::Hour,
        Self::Day,
        Self::Month,
        Self::Strip,
        Self::Since,
    ];

    /// In the order in which they are given up, the last one first.
    const BY_WORTH: [Self; 10] = [
        Self::Since,
        Self::Word,
        Self::Day,
        Self::Now,
        Self::Status,
        Self::Strip,
        Self::P95,
        Self::P50,
        Self::Hour,
        Self::Month,
    ];

    /// Whether it gives way before a reason is cut: figures are looked up, a cause is what one looks for.
    const fn gives_way(self) -> bool {
        matches!(self, Self::Hour | Self::Month)
    }

    /// Cells, the blank behind it with them; of the strip the fewest.
    const fn width(self) -> u16 {
        match self {
            Self::Word => 8,
            Self::Status
            | Self::Now
            | Self::P50
            | Self::P95
            | Self::Hour
            | Self::Day
            | Self::Month => 7,
            Self::Strip => 11,
            Self::Since => 6,
        }
    }

    /// Its heading.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Word => "",
            Self::Status => "STATUS",
            Self::Now => "NOW",
            Self::P50 => "P50",
            Self::P95 => "P95",
            Self::Hour => "1 H",
            Self::Day => "24 H",
            Self::Month => "30 D",
            Self::Strip => "LAST",
            Self::Since => "SINCE",
        }
    }
}

/// How a row is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    /// Cells of the name, the blank behind it with them.
    pub(super) name: u16,
    /// Those that have room, as they stand, with their cells.
    pub(super) between: Vec<(Column, u16)>,
    /// Cells of the reason.
    pub(super) reason: u16,
}

/// Marker, lamp and a blank.
pub(super) const LAMP: u16 = 3;
/// Below this there is room for lamp, name and reason alone.
const NARROW: u16 = 58;
/// Of the name, and of the reason, before anything else.
const LEAST: (u16, u16) = (15, 17);
/// In so many cells most reasons are whole.
const WHOLE_REASON: u16 = 31;
/// Beyond this they gain nothing.
const MOST_NAME: u16 = 33;
const MOST_STRIP: u16 = 61;
const MOST_REASON: u16 = 44;

impl Columns {
    /// Divides a row of `width` cells.
    pub(super) fn of(width: u16) -> Self {
        let room = width.saturating_sub(LAMP);
        if width < NARROW {
            let name = (room / 2).min(MOST_NAME);
            return Self {
                name,
                between: Vec::new(),
                reason: room - name,
            };
        }
        let (name, reason) = LEAST;
        let mut free = room.saturating_sub(name + reason);
        let mut chosen = Vec::new();
        for column in Column::BY_WORTH {
            let kept = if column.gives_way() {
                WHOLE_REASON - reason
            } else {
                0
            };
            if column.width() + kept > free {
                break;
            }
            free -= column.width();
            chosen.push(column);
        }
        let mut give = |most: u16| {
            let given = most.min(free);
            free -= given;
            given
        };
        let reason = reason + give(WHOLE_REASON - reason);
        let name = name + give(MOST_NAME - name);
        let reason = reason + give(MOST_REASON - reason);
        let strip = give(MOST_STRIP - Column::Strip.width());
        let wide = |column: Column| match column {
            Column::Strip => column.width() + strip,
            other => other.width(),
        };
        let between: Vec<_> = Column::ALL
            .into_iter()
            .filter(|column| chosen.contains(column))
            .map(|column| (column, wide(column)))
            .collect();
        let taken: u16 = between.iter().map(|(_, width)| width).sum();
        Self {
            reason: reason.max(room.saturating_sub(name + taken)),
            name,
            between,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(width: u16) -> Vec<Column> {
        let columns = Columns::of(width);
        columns.between.iter().map(|(column, _)| *column).collect()
    }

    #[test]
    fn columns_drop_by_width_and_fill_the_row() {
        use Column::{Day, Hour, Now, P50, P95, Since, Status, Strip, Word};
        assert_eq!(Columns::of(78).reason, 25);
        assert_eq!((Columns::of(98).name, Columns::of(98).reason), (15, 20));
        assert_eq!((Columns::of(118).name, Columns::of(118).reason), (17, 31));
        assert_eq!(columns(57), []);
        assert_eq!(columns(78), [Word, Status, Now, Day, Since]);
        assert_eq!(
            columns(98),
            [Word, Status, Now, P50, P95, Day, Strip, Since]
        );
        assert_eq!(
            columns(118),
            [Word, Status, Now, P50, P95, Hour, Day, Strip, Since]
        );
        assert_eq!(columns(198), Column::ALL);
        for width in 20..260 {
            let columns = Columns::of(width);
            let between: u16 = columns.between.iter().map(|(_, width)| width).sum();
            let all = LAMP + columns.name + between + columns.reason;
            assert_eq!(all, width, "{columns:?}");
        }
    }
}
