package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/audittest"
)

// The command that puts an alarm on a metric names the metric as the filter does, even
// if namespace and name contain a slash and the shell's marks.
func TestCommandNamesTheMetric(t *testing.T) {
	rep := audittest.Broken()
	i := slices.IndexFunc(rep.Checks, func(c audit.Check) bool { return c.Control == "iam-changes" })
	quoted := "'" + strings.ReplaceAll(audittest.Hostile, "'", `'\''`) + "'"
	if want := "--namespace theirs --metric-name " + quoted + " --statistic"; !strings.Contains(rep.Checks[i].Command, want) {
		t.Errorf("%s\nwant %s", rep.Checks[i].Command, want)
	}
}
