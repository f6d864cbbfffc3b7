package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// regexesPerPattern is how many regular expressions a filter pattern may have.
// Source: CloudWatch Logs User Guide, "Supported regular expressions (regex)
// syntax", quotas.
const regexesPerPattern = 2

// checkPattern returns why CloudWatch Logs would refuse a filter pattern, and
// nil if it would not. CloudTrail's log events are JSON objects, so a control
// wants a JSON pattern; the other forms of the syntax match them too, as text.
// Where the guide leaves a detail open, checkPattern accepts it.
//
// Source: CloudWatch Logs User Guide, "Filter pattern syntax".
func checkPattern(pattern string) error {
	s := &scanner{rest: pattern}
	s.space()
	var err error
	switch {
	case strings.HasPrefix(s.rest, "{"):
		err = s.json()
	case strings.HasPrefix(s.rest, "["):
		err = s.columns()
	default:
		err = s.terms()
	}
	if err == nil && s.regexes > regexesPerPattern {
		err = fmt.Errorf("it has %d regular expressions; use at most %d", s.regexes, regexesPerPattern)
	}
	return err
}

// A scanner reads a filter pattern from left to right.
type scanner struct {
	rest    string
	regexes int
}

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t\r\n") }

// skip reads text, and space after it, and reports whether it was there.
func (s *scanner) skip(text string) bool {
	rest, found := strings.CutPrefix(s.rest, text)
	if found {
		s.rest = rest
		s.space()
	}
	return found
}

// match reads what the expression matches, and space after it.
func (s *scanner) match(expression *regexp.Regexp) string {
	found := expression.FindString(s.rest)
	s.skip(found)
	return found
}

// want reads text, or returns an error that says where it is missing.
func (s *scanner) want(text string) error {
	if s.skip(text) {
		return nil
	}
	return fmt.Errorf("%s is missing %s", text, s.here())
}

// here says where in the pattern the scanner is.
func (s *scanner) here() string {
	if s.rest == "" {
		return "at the end"
	}
	at := []rune(s.rest)
	if len(at) > 20 {
		return fmt.Sprintf("before %q", string(at[:20])+"…")
	}
	return fmt.Sprintf("before %q", s.rest)
}

var (
	selectorShape = regexp.MustCompile(`^\$(\.[\w*-]+|\.?\[(\d+|\*|'[^']+'|"[^"]+")\])+`)
	operatorShape = regexp.MustCompile(`^(!=|<=|>=|=|<|>)`)
	wordShape     = regexp.MustCompile(`^[^\s"'%(){}\[\]&|,=<>!]+`)
	numberShape   = regexp.MustCompile(`^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$`)
	nullShape     = regexp.MustCompile(`^(?i:IS\s+(NULL|TRUE|FALSE)|NOT\s+EXISTS|EXISTS)\b`)
	termShape     = regexp.MustCompile(`^\w+(\s|$)`)
	regexShape    = regexp.MustCompile(`^[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]+$`)
)

// json reads { condition }.
func (s *scanner) json() error {
	s.skip("{")
	if err := s.conditions(); err != nil {
		return err
	}
	if err := s.want("}"); err != nil {
		return err
	}
	if s.rest != "" {
		return fmt.Errorf("nothing may follow the closing brace: remove %q", s.rest)
	}
	return nil
}

// conditions reads conditions that && and || combine.
func (s *scanner) conditions() error {
	for {
		if err := s.condition(); err != nil {
			return err
		}
		if !s.skip("&&") && !s.skip("||") {
			return nil
		}
	}
}

// condition reads conditions in parentheses, or a selector and what it must be.
func (s *scanner) condition() error {
	if s.skip("(") {
		if err := s.conditions(); err != nil {
			return err
		}
		return s.want(")")
	}
	if s.match(selectorShape) == "" {
		return fmt.Errorf("a field such as $.eventName is missing %s", s.here())
	}
	if s.match(nullShape) != "" {
		return nil
	}
	operator := s.match(operatorShape)
	if operator == "" {
		return fmt.Errorf("one of =, !=, <, >, <=, >=, IS NULL, IS TRUE, IS FALSE and NOT EXISTS is missing %s", s.here())
	}
	return s.value(operator)
}

// value reads what a field is compared with.
func (s *scanner) value(operator string) error {
	switch {
	case strings.HasPrefix(s.rest, `"`), strings.HasPrefix(s.rest, "%"):
		if operator != "=" && operator != "!=" {
			return fmt.Errorf("%s compares numbers: use = or != %s", operator, s.here())
		}
		return s.text()
	}
	word := s.match(wordShape)
	if word == "" {
		return fmt.Errorf("a value is missing %s; put a value with special characters in double quotes", s.here())
	}
	if operator != "=" && operator != "!=" && !numberShape.MatchString(word) {
		return fmt.Errorf("%s compares numbers, and %q is none", operator, word)
	}
	return nil
}

// text reads a quoted string or a regular expression.
func (s *scanner) text() error {
	if s.rest[0] == '%' {
		expression, rest, closed := strings.Cut(s.rest[1:], "%")
		if !closed {
			return errors.New("a regular expression has no closing %")
		}
		s.regexes++
		s.rest = rest
		s.space()
		return checkRegex(expression)
	}
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			s.rest = s.rest[i+1:]
			s.space()
			return nil
		}
	}
	return errors.New("a string has no closing double quote")
}

// checkRegex returns why CloudWatch Logs would refuse a regular expression.
// Source: CloudWatch Logs User Guide, "Supported regular expressions (regex)
// syntax".
func checkRegex(expression string) error {
	switch {
	case strings.ContainsAny(expression, "()"):
		return fmt.Errorf("the regular expression %%%s%% has parentheses, which CloudWatch Logs does not support: use two conditions, or | without parentheses", expression)
	case !regexShape.MatchString(expression):
		return fmt.Errorf("the regular expression %%%s%% has a character that AWS does not take: it may have only letters, digits, : _ # = @ / ; , - and the operators ^ $ ? [ ] { } | \\ * . and +", expression)
	}
	if _, err := regexp.Compile(expression); err != nil {
		return fmt.Errorf("the regular expression %%%s%% is not valid: %w", expression, err)
	}
	return nil
}

// columns reads [column, …], which matches log events by their words.
func (s *scanner) columns() error {
	s.skip("[")
	for depth := 0; s.rest != ""; {
		switch {
		case strings.HasPrefix(s.rest, `"`), strings.HasPrefix(s.rest, "%"):
			if err := s.text(); err != nil {
				return err
			}
		case s.skip("("):
			depth++
		case s.skip(")"):
			if depth--; depth < 0 {
				return errors.New("( is missing before a )")
			}
		case s.skip("]"):
			if depth > 0 {
				return errors.New(") is missing before the closing bracket")
			}
			if s.rest != "" {
				return fmt.Errorf("nothing may follow the closing bracket: remove %q", s.rest)
			}
			return nil
		case s.skip(","), s.skip("&&"), s.skip("||"), s.match(operatorShape) != "", s.match(wordShape) != "":
		default:
			return fmt.Errorf("put words with special characters in double quotes %s", s.here())
		}
	}
	return errors.New("] is missing at the end")
}

// terms reads words that a log event must, may (?) or must not (-) contain.
func (s *scanner) terms() error {
	for s.rest != "" {
		if s.rest[0] == '?' || s.rest[0] == '-' {
			s.rest = s.rest[1:]
		}
		switch {
		case strings.HasPrefix(s.rest, `"`), strings.HasPrefix(s.rest, "%"):
			if err := s.text(); err != nil {
				return err
			}
		case s.match(termShape) == "":
			return fmt.Errorf("a condition on a field needs braces, as in { $.eventName = ConsoleLogin }, and a word with special characters needs double quotes; the pattern goes wrong %s", s.here())
		}
	}
	return nil
}
