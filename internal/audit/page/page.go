// Package page writes the report of an audit as one HTML page for people: an auditor,
// and who has to repair what the audit found. The page has everything in it, loads
// nothing and runs no script. The functions do not link it.
package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/catalog"
)

//go:embed page.css
var style string

//go:embed page.html
var source string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(style) }, //nolint:gosec // it is ours
	"mark":  func(s audit.Status) string { return marks[s] },
	"class": func(s audit.Status) string { return strings.ReplaceAll(string(s), " ", "-") },
	"join":  strings.Join,
	"of":    func(totals map[audit.Status]int, s string) int { return totals[audit.Status(s)] },
	"count": func(totals map[audit.Status]int) int { return sum(totals) },
	"needs": func(totals map[audit.Status]int) int { return totals[audit.Fail] + totals[audit.Unknown] },
	"are": func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.Itoa(n) + " " + many
	},
}).Parse(source))

// marks stand beside the colours, which not everybody sees and not every printer prints.
var marks = map[audit.Status]string{
	audit.Fail: "✕", audit.Unknown: "?", audit.Pass: "✓", audit.NotApplicable: "–", audit.NotReached: "·",
}

// statuses are the statuses of a check, the worst first.
var statuses = []audit.Status{audit.Fail, audit.Unknown, audit.Pass, audit.NotApplicable}

// Write writes the page. The names in a report may be anybody's: no text of it can
// become markup, and what is not printed, such as a mark that turns the direction of
// the text, is replaced.
func Write(w io.Writer, rep audit.Report) error {
	var b bytes.Buffer
	if err := page.Execute(&b, of(rep)); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, b.String()))
	return err
}

// A view is a report in the order of the page.
type view struct {
	audit.Report
	Statuses []audit.Status
	Findings []finding // what fails or is unknown
	Exempt   []check   // what does not apply
	Passes   []check
	Matrix   []row
	VPCs     []region
	Empty    []string // regions without a VPC
}

// A check has its requirements as text, one for each framework: "cis-5.0 4.3".
type check struct {
	audit.Check
	Requires []string
}

// A finding is what does not pass for one reason: that the trail does not log is the
// reason for each control.
type finding struct {
	audit.Check         // the first of them
	Checks      []check // with the same link, problem and command
}

// Subjects returns what the checks are about, each control or VPC once.
func (f finding) Subjects() (list []check) {
	for _, c := range f.Checks {
		if !slices.ContainsFunc(list, func(o check) bool { return o.Control == c.Control && o.Resource == c.Resource }) {
			list = append(list, c)
		}
	}
	return list
}

// A row of the matrix is a control.
type row struct {
	Control, Title string
	Cells          []cell // one for each framework
}

// A cell is the result for a control and a framework: the worst of its checks.
type cell struct {
	IDs    []string // of the framework's requirements; none if it does not have the control
	Status audit.Status
	Of     int // checks
	Same   int // those of them with the status
}

// A region has the checks of its VPCs.
type region struct {
	Name   string
	Totals map[audit.Status]int
	Checks []audit.Check
}

// of arranges a report.
func of(rep audit.Report) view {
	v := view{Report: rep, Statuses: statuses}
	for _, one := range rep.Checks {
		c := check{Check: one}
		for _, f := range rep.Frameworks {
			if ids := c.Requirements[f.ID]; len(ids) > 0 {
				c.Requires = append(c.Requires, f.ID+" "+strings.Join(ids, ", "))
			}
		}
		switch c.Status {
		case audit.Pass:
			v.Passes = append(v.Passes, c)
		case audit.NotApplicable:
			v.Exempt = append(v.Exempt, c)
		default:
			v.find(c)
		}
		v.cells(one)
		if c.Control == catalog.FlowLogsCheck {
			v.vpc(one)
		}
	}
	for _, name := range rep.Regions {
		if len(v.VPCs) > 0 && !slices.ContainsFunc(v.VPCs, func(r region) bool { return r.Name == name }) {
			v.Empty = append(v.Empty, name)
		}
	}
	slices.SortFunc(v.VPCs, func(a, b region) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(v.Matrix, func(a, b row) int { return position(a.Control) - position(b.Control) })
	return v
}

// find adds a check to the findings.
func (v *view) find(c check) {
	for i, f := range v.Findings {
		if f.Status == c.Status && f.Region == c.Region && f.Broken == c.Broken && f.Problem == c.Problem && f.Command == c.Command {
			v.Findings[i].Checks = append(f.Checks, c)
			return
		}
	}
	v.Findings = append(v.Findings, finding{Check: c.Check, Checks: []check{c}})
}

// vpc adds the check of a VPC to its region.
func (v *view) vpc(c audit.Check) {
	i := slices.IndexFunc(v.VPCs, func(r region) bool { return r.Name == c.Region })
	if i < 0 {
		i = len(v.VPCs)
		v.VPCs = append(v.VPCs, region{Name: c.Region, Totals: map[audit.Status]int{}})
	}
	v.VPCs[i].Checks = append(v.VPCs[i].Checks, c)
	v.VPCs[i].Totals[c.Status]++
}

// cells adds a check to the matrix.
func (v *view) cells(c audit.Check) {
	i := slices.IndexFunc(v.Matrix, func(r row) bool { return r.Control == c.Control })
	if i < 0 {
		i = len(v.Matrix)
		v.Matrix = append(v.Matrix, row{Control: c.Control, Title: c.Title, Cells: make([]cell, len(v.Frameworks))})
	}
	for k, f := range v.Frameworks {
		ids, to := c.Requirements[f.ID], &v.Matrix[i].Cells[k]
		if len(ids) == 0 {
			continue
		}
		to.Of++
		switch at, best := slices.Index(statuses, c.Status), slices.Index(statuses, to.Status); {
		case to.IDs == nil || at < best:
			to.IDs, to.Status, to.Same = ids, c.Status, 1
		case at == best:
			to.Same++
		}
	}
}

// position orders controls as the catalog does: the configuration's own follow, and the
// VPCs are last.
func position(control string) int {
	all := catalog.Controls()
	if control == catalog.FlowLogsCheck {
		return len(all) + 1
	}
	if i := slices.IndexFunc(all, func(c catalog.Control) bool { return c.ID == control }); i >= 0 {
		return i
	}
	return len(all)
}

func sum(totals map[audit.Status]int) (n int) {
	for _, of := range totals {
		n += of
	}
	return n
}
