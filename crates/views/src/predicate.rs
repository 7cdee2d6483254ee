//! Which rows are meant: conditions that all must hold, with their values. List, count, export and
//! watch of one subject are built from one predicate, so they cannot mean different rows.

use tokio_postgres::types::{ToSql, Type};

use crate::Scope;

type Value = Box<dyn ToSql + Sync + Send>;

/// Conditions and their values. Columns are named by the program, values by the caller.
#[derive(Debug, Default)]
pub(crate) struct Predicate {
    conditions: Vec<String>,
    values: Vec<(Value, Type)>,
}

impl Predicate {
    /// `<column> <comparison> <value>`.
    pub(crate) fn compare(
        &mut self,
        column: &str,
        comparison: &str,
        value: impl ToSql + Sync + Send + 'static,
        of_type: Type,
    ) {
        let place = self.place(value, of_type);
        self.conditions.push(format!("{column} {comparison} {place}"));
    }

    /// `<column> = <text>`.
    pub(crate) fn is(&mut self, column: &str, text: &str) {
        self.compare(column, "=", text.to_owned(), Type::TEXT);
    }

    /// `<column>` is one of `texts`.
    pub(crate) fn is_any(&mut self, column: &str, texts: Vec<String>) {
        let place = self.place(texts, Type::TEXT_ARRAY);
        self.conditions.push(format!("{column} = ANY({place})"));
    }

    /// The columns `enterprise`, `unit` and `area` lie within `scope`.
    pub(crate) fn within(&mut self, scope: &Scope) {
        self.within_or(scope, |_| None);
    }

    /// As [`Predicate::within`]; the column `co_units` counts as well as `unit`.
    pub(crate) fn within_shared(&mut self, scope: &Scope) {
        self.within_or(scope, |units| Some(format!("co_units && {units}")));
    }

    fn within_or(&mut self, scope: &Scope, shared: impl Fn(&str) -> Option<String>) {
        let Scope::Within { enterprise, units, areas } = scope else {
            return;
        };
        let mut ways = Vec::new();
        if let Some(enterprise) = enterprise {
            let place = self.place(enterprise.as_str().to_owned(), Type::TEXT);
            ways.push(format!("enterprise = {place}"));
        }
        if !units.is_empty() {
            let units: Vec<String> = units.iter().map(ToString::to_string).collect();
            let place = self.place(units, Type::TEXT_ARRAY);
            ways.push(format!("unit = ANY({place})"));
            ways.extend(shared(&place));
        }
        if !areas.is_empty() {
            let areas: Vec<String> = areas.iter().map(ToString::to_string).collect();
            let place = self.place(areas, Type::TEXT_ARRAY);
            ways.push(format!("area = ANY({place})"));
        }
        self.conditions.push(match ways.is_empty() {
            true => "false".to_owned(),
            false => format!("({})", ways.join(" OR ")),
        });
    }

    /// A row of values compared with a row of columns, for keyset pages.
    pub(crate) fn compare_row(
        &mut self,
        columns: &str,
        comparison: &str,
        values: Vec<(Value, Type)>,
    ) {
        let places: Vec<String> =
            values.into_iter().map(|(value, of_type)| self.push(value, of_type)).collect();
        self.conditions.push(format!("({columns}) {comparison} ({})", places.join(", ")));
    }

    /// The condition as SQL; `true` when there is none.
    pub(crate) fn sql(&self) -> String {
        match self.conditions.is_empty() {
            true => "true".to_owned(),
            false => self.conditions.join(" AND "),
        }
    }

    /// The values, in the order of their places.
    pub(crate) fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values
            .iter()
            .map(|(value, of_type)| (&**value as &(dyn ToSql + Sync), of_type.clone()))
            .collect()
    }

    fn place(&mut self, value: impl ToSql + Sync + Send + 'static, of_type: Type) -> String {
        self.push(Box::new(value), of_type)
    }

    fn push(&mut self, value: Value, of_type: Type) -> String {
        self.values.push((value, of_type));
        format!("${}", self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use doudi_domain::{AreaCode, EnterpriseId, UnitId};

    use super::*;

    #[test]
    fn conditions_all_hold_and_places_are_counted() {
        let mut predicate = Predicate::default();
        assert_eq!(predicate.sql(), "true");
        predicate.is("state", "submitted");
        predicate.is_any("kind", vec!["visit".to_owned()]);
        let values: Vec<(Value, Type)> =
            vec![(Box::new(1_i64), Type::INT8), (Box::new(2_i32), Type::INT4)];
        predicate.compare_row("position, ordinal", ">", values);
        assert_eq!(
            predicate.sql(),
            "state = $1 AND kind = ANY($2) AND (position, ordinal) > ($3, $4)"
        );
        assert_eq!(predicate.values().len(), 4);
    }

    #[test]
    fn the_scope_is_part_of_the_predicate() {
        let sql = |scope: &Scope| {
            let mut predicate = Predicate::default();
            predicate.within(scope);
            predicate.sql()
        };
        assert_eq!(sql(&Scope::All), "true");
        let nothing = Scope::Within { enterprise: None, units: vec![], areas: vec![] };
        assert_eq!(sql(&nothing), "false");
        let all_ways = Scope::Within {
            enterprise: Some(EnterpriseId::parse("L-1").unwrap()),
            units: vec![UnitId::parse("tax").unwrap()],
            areas: vec![AreaCode::parse("210212").unwrap()],
        };
        assert_eq!(sql(&all_ways), "(enterprise = $1 OR unit = ANY($2) OR area = ANY($3))");
    }
}
