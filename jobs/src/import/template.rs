//! Templates: `"{opportunity_id}-won"`. Doubled braces stand for themselves.

/// A text with columns in it, known as `C`: a name when parsed, an index when bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template<C>(pub(crate) Vec<Part<C>>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<C> {
    Literal(String),
    Column(C),
}

impl Template<String> {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.next_if_eq(&c).is_some() => literal.push(c),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some(c) => name.push(c),
                            None => return Err(format!("`{{` is not closed in {text:?}")),
                        }
                    }
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Column(name));
                }
                '}' => {
                    return Err(format!("`}}` without `{{` in {text:?}; write `}}}}` for the sign itself"));
                }
                c => literal.push(c),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }
}

impl<C> Template<C> {
    pub(crate) fn bind<D, E>(&self, mut to: impl FnMut(&C) -> Result<D, E>) -> Result<Template<D>, E> {
        let parts = self.0.iter().map(|part| {
            Ok(match part {
                Part::Literal(text) => Part::Literal(text.clone()),
                Part::Column(column) => Part::Column(to(column)?),
            })
        });
        Ok(Template(parts.collect::<Result<_, E>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let column = |name: &str| Part::Column(name.to_owned());
        let literal = |text: &str| Part::Literal(text.to_owned());
        let check = |text: &str, expected: &[Part<String>]| {
            assert_eq!(Template::parse(text).unwrap().0, expected, "{text}");
        };
        check("{Opportunity ID}-won", &[column("Opportunity ID"), literal("-won")]);
        check("Won", &[literal("Won")]);
        check("{a}{b}", &[column("a"), column("b")]);
        check("{{{a}}}", &[literal("{"), column("a"), literal("}")]);
        check("", &[]);
        assert!(Template::parse("{a").unwrap_err().contains("not closed"));
        assert!(Template::parse("a}").unwrap_err().contains("without"));
    }
}
