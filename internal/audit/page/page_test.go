package page

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/audittest"
	"github.com/relight-aws/relight/internal/catalog"
)

// The numbers on the page are those of the report. TestBrowser compares them all.
func TestPage(t *testing.T) {
	for name, rep := range map[string]audit.Report{"healthy": audittest.Healthy(), "broken": audittest.Broken(), "member": audittest.Member()} {
		html := rendered(t, rep)
		for _, s := range statuses {
			if want := fmt.Sprintf(`data-total="%s">%d<`, s, rep.Totals[s]); !strings.Contains(html, want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
		if n := strings.Count(html, "data-passed="); n != rep.Totals[audit.Pass] {
			t.Errorf("%s: %d checks pass on the page, want %d", name, n, rep.Totals[audit.Pass])
		}
		for _, c := range rep.Checks {
			if c.Status != audit.Pass && !strings.Contains(html, "<code>"+c.Control+"</code>") {
				t.Errorf("%s: %s is missing", name, c.Control)
			}
		}
		verdict := regexp.MustCompile(`<p class="verdict (\w+)">(.*)</p>`).FindStringSubmatch(html)
		if want := map[string][2]string{
			"healthy": {"pass", "No check fails."}, "member": {"pass", "No check fails."},
			"broken": {"fail", "4 checks fail. 1 check is unknown: something could not be read. Unknown is not a pass."},
		}[name]; verdict == nil || [2]string(verdict[1:]) != want {
			t.Errorf("%s: the verdict is %q, want %q", name, verdict, want)
		}
	}
}

// No name becomes markup, and none turns the direction of the text.
func TestHostileNames(t *testing.T) {
	html := rendered(t, audittest.Broken())
	for _, bad := range []string{"<script", "<img", "\u202e", "http:", "https:", "url("} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(html, "&lt;script&gt;document.title=&#34;x&#34;&lt;/script&gt;") {
		t.Error("the hostile name is not on the page")
	}
}

// Checks that break for one reason are one finding.
func TestFindings(t *testing.T) {
	got := audittest.Observed()
	h := got.Health[got.Choice.Trail.ARN]
	h.Status.Logging = false
	got.Health[got.Choice.Trail.ARN] = h
	f, _ := catalog.FrameworkByID("cis-5.0")
	rep := audittest.Of(got, f)
	v := of(rep)
	if len(v.Findings) != 1 || len(v.Findings[0].Checks) != rep.Totals[audit.Fail] || rep.Totals[audit.Fail] < 10 {
		t.Errorf("%d findings for %v", len(v.Findings), rep.Totals)
	}
	if html, want := rendered(t, rep), fmt.Sprintf("1 thing to repair for %d checks.", rep.Totals[audit.Fail]); !strings.Contains(html, want) {
		t.Errorf("the page does not say %q", want)
	}
	// Two frameworks that accept different texts are two checks of one control.
	if f := of(audittest.Broken()).Findings[0]; len(f.Checks) != 2 || len(f.Subjects()) != 1 {
		t.Errorf("%d checks of %d controls, want 2 of 1", len(f.Checks), len(f.Subjects()))
	}
}

// A thousand VPCs without a flow log are a page that a browser opens.
func TestSize(t *testing.T) {
	if n := len(rendered(t, audittest.Many(1000))); n > 4<<20 {
		t.Errorf("%d bytes", n)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// A page that cannot be written is an error.
func TestWriteFails(t *testing.T) {
	if err := Write(full{}, audittest.Healthy()); err == nil {
		t.Error("no error")
	}
}
