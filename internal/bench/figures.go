// Package bench has the figures of relight's named workloads, and a model of what is
// between an AWS account and relight's functions. The workloads that need a deployed
// relight are tests of internal/app.
package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Figure is one result of a workload: "storm/deleted-alarms/messages 3 messages".
type Figure struct {
	Name  string // of the workload, and of what was measured in it, separated by "/"
	Value float64
	Unit  string
}

// String returns the figure as one line.
func (f Figure) String() string {
	return f.Name + " " + strconv.FormatFloat(f.Value, 'f', -1, 64) + " " + f.Unit
}

// Lines returns figures as text, one a line.
func Lines(figures []Figure) string {
	var b strings.Builder
	for _, f := range figures {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

// Parse reads what Lines wrote. It skips empty lines and those that begin with "#".
func Parse(text string) ([]Figure, error) {
	var figures []Figure
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(words) != 3 {
			return nil, fmt.Errorf("%q is no figure: want a name, a value and a unit", strings.TrimSpace(line))
		}
		value, err := strconv.ParseFloat(words[1], 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no figure: %w", strings.TrimSpace(line), err)
		}
		figures = append(figures, Figure{words[0], value, words[2]})
	}
	return figures, nil
}

// Compare returns how figures differ from the recorded ones, one line for each that
// does. A smaller value differs too: the record says what the code does. With a slack, a
// figure may differ by that part of it, and by 1 in any case.
func Compare(recorded, now []Figure, slack float64) []string {
	was := map[string]Figure{}
	for _, f := range recorded {
		was[f.Name] = f
	}
	var differ []string
	for _, f := range now {
		before, known := was[f.Name]
		delete(was, f.Name)
		switch {
		case !known:
			differ = append(differ, fmt.Sprintf("%s is new", f))
		case before.Unit != f.Unit:
			differ = append(differ, fmt.Sprintf("%s was in %s", f, before.Unit))
		case slack > 0 && math.Abs(f.Value-before.Value) <= max(1, slack*before.Value):
		case f.Value > before.Value:
			differ = append(differ, fmt.Sprintf("%s has grown: it was %s", f, strconv.FormatFloat(before.Value, 'f', -1, 64)))
		case f.Value < before.Value:
			differ = append(differ, fmt.Sprintf("%s is smaller: it was %s", f, strconv.FormatFloat(before.Value, 'f', -1, 64)))
		}
	}
	for _, f := range recorded {
		if _, left := was[f.Name]; left {
			differ = append(differ, fmt.Sprintf("%s is recorded and was not measured", f.Name))
		}
	}
	return differ
}
