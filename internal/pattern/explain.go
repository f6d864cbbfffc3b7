package pattern

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Why says in one line why the pattern does not match a log event: the clauses that
// failed, with what the log event has there. It returns "" if the pattern matches.
func (p *Pattern) Why(message string) string {
	if p.Matches(message) {
		return ""
	}
	switch p.form {
	case object:
		record, err := decode(message)
		if err != nil {
			return err.Error()
		}
		return strings.Join(p.all.canonical().failures(record), "; ")
	case delimited:
		return fmt.Sprintf("the %d words of the log event do not satisfy %s", len(words(message)), p)
	}
	return fmt.Sprintf("the log event does not satisfy the terms %s", p)
}

// failures returns the clauses that a record does not satisfy, in words.
func (e *expression) failures(record map[string]any) (list []string) {
	if e.eval(func(c comparison) bool { return c.holds(c.field.values(record)) }) {
		return nil
	}
	switch {
	case e.and != nil:
		for _, x := range e.and {
			list = append(list, x.failures(record)...)
		}
		return list
	case e.or != nil:
		// Alternatives for one field are one sentence: 16 event names are not 16.
		var fields []string
		wanted := map[string][]string{}
		for _, x := range e.or {
			if x.and != nil || x.or != nil || x.operator != equal {
				list = append(list, strings.Join(x.failures(record), " and "))
				continue
			}
			field := x.field.String()
			if wanted[field] == nil {
				fields = append(fields, field)
			}
			wanted[field] = append(wanted[field], x.value.String())
		}
		for _, field := range fields {
			got := parseSelector(field).got(record)
			if values := wanted[field]; len(values) == 1 {
				list = append(list, fmt.Sprintf("%s %s, not %s", field, got, values[0]))
			} else {
				list = append(list, fmt.Sprintf("%s %s, none of %s", field, got, some(values)))
			}
		}
		return []string{strings.Join(list, ", and ")}
	}
	got := e.field.got(record)
	if e.operator == equal {
		return []string{fmt.Sprintf("%s %s, not %s", e.field, got, e.value)}
	}
	return []string{fmt.Sprintf("%s %s, which fails %s", e.field, got, e.condition())}
}

// some returns a list for people, who do not read sixteen names.
func some(values []string) string {
	const shown = 4
	if len(values) <= shown+1 {
		return strings.Join(values, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(values[:shown], ", "), len(values)-shown)
}

// got says what a record has where the selector points.
func (s selector) got(record map[string]any) string {
	found := s.values(record)
	switch len(found) {
	case 0:
		return "does not exist"
	case 1:
		switch found[0].(type) {
		case map[string]any:
			return "is an object"
		case []any:
			return "is a list"
		}
	}
	var texts []string
	for _, v := range found {
		text, _ := json.Marshal(v) // it came from JSON
		texts = append(texts, string(text))
	}
	return "is " + strings.Join(texts, ", ")
}
