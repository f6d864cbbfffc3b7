package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/audit/audittest"
	"github.com/relight-aws/relight/internal/audit/finding"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

const (
	account = "111122223333"
	home    = "us-east-1"
)

func cloud(t *testing.T) (*awsio.Cloud, *awstest.Account) {
	t.Helper()
	acct := awstest.New(account, home)
	acct.EnableSecurityHub()
	return &awsio.Cloud{Config: acct.Config(), Want: catalog.Desired{Deployment: catalog.Deployment{Account: account, HomeRegion: home}}}, acct
}

// many returns n findings of different IDs.
func many(n int) (list []finding.ASFF) {
	one := finding.ToASFF(audittest.Broken())[0]
	for i := range n {
		one.ID = fmt.Sprintf("relight/%d", i)
		list = append(list, one)
	}
	return list
}

func TestImport(t *testing.T) {
	for n, calls := range map[int]int{0: 0, 1: 1, 100: 1, 101: 2, 250: 3} {
		c, acct := cloud(t)
		imported, err := Import(t.Context(), c, home, many(n))
		if err != nil || imported != n || len(acct.Findings()) != n || acct.Calls()["BatchImportFindings"] != calls {
			t.Errorf("%d of %d imported, %d are there, %v after %v; want %d calls", imported, n, len(acct.Findings()), err, acct.Calls(), calls)
		}
	}
}

// What fails is an error that says what to do, and stops no other batch.
func TestFailures(t *testing.T) {
	tests := map[string]struct {
		harm     func(*awstest.Account, []finding.ASFF)
		imported int
		class    remedy.Class
		says     []string
	}{
		"inside a reply": {
			func(a *awstest.Account, f []finding.ASFF) {
				a.Refuse(f[0].ID, "InvalidInput")
				a.Refuse(f[7].ID, "InvalidInput")
			},
			148, remedy.Terminal,
			[]string{"securityhub.BatchImportFindings us-east-1: ", "2 of 100 findings were not imported, the first is relight/0: ", "InvalidInput"},
		},
		"not enabled, inside a reply": {
			func(a *awstest.Account, f []finding.ASFF) { a.Refuse(f[120].ID, "InvalidAccess") },
			149, remedy.Terminal,
			[]string{"1 of 50 findings", "relight/120", "enable Security Hub there (aws securityhub enable-security-hub --region us-east-1)", "audit.securityHub"},
		},
		"a batch is refused": {
			func(a *awstest.Account, _ []finding.ASFF) { a.Fail("BatchImportFindings", "InternalException") },
			50, remedy.Transient,
			[]string{"securityhub.BatchImportFindings us-east-1: ", "InternalException"},
		},
		"no permission": {
			func(a *awstest.Account, _ []finding.ASFF) { a.Deny("BatchImportFindings") },
			0, remedy.Terminal,
			[]string{"allow securityhub:BatchImportFindings in us-east-1"},
		},
		"another account's": {
			func(_ *awstest.Account, f []finding.ASFF) { f[3].AccountID = "444455556666" },
			149, remedy.Terminal,
			[]string{"relight/3", "another account's"},
		},
		"too large": {
			func(_ *awstest.Account, f []finding.ASFF) {
				f[5].ProductFields = map[string]string{"x": strings.Repeat("x", largest)}
			},
			149, remedy.Unknown,
			[]string{"finding relight/5 is larger than the 240000 bytes"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, acct := cloud(t)
			list := many(150)
			tt.harm(acct, list)
			imported, err := Import(t.Context(), c, home, list)
			if err == nil || imported != tt.imported || len(acct.Findings()) != tt.imported || remedy.ClassOf(err) != tt.class {
				t.Fatalf("%d imported, %d are there, %s error %v; want %d and %s", imported, len(acct.Findings()), remedy.ClassOf(err), err, tt.imported, tt.class)
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "operation error") {
				t.Errorf("%q repeats the operation", err)
			}
		})
	}
}

func TestNotEnabled(t *testing.T) {
	acct := awstest.New(account, home)
	c := &awsio.Cloud{Config: acct.Config(), Want: catalog.Desired{Deployment: catalog.Deployment{Account: account, HomeRegion: home}}}
	_, err := Import(t.Context(), c, home, many(1))
	if e, ok := errors.AsType[*remedy.Error](err); !ok || e.Class != remedy.Terminal || !strings.Contains(err.Error(), "not subscribed") || !strings.Contains(e.Hint, "aws securityhub enable-security-hub --region us-east-1") {
		t.Errorf("%v, want the hint to enable Security Hub", err)
	}
}

// Security Hub's LimitExceededException is about a rate, so the call is made again.
func TestThrottled(t *testing.T) {
	c, acct := cloud(t)
	acct.Fail("BatchImportFindings", "LimitExceededException", "LimitExceededException")
	if imported, err := Import(t.Context(), c, home, many(3)); imported != 3 || err != nil || acct.Calls()["BatchImportFindings"] != 3 {
		t.Errorf("%d imported, %v, after %v", imported, err, acct.Calls())
	}
}

// A batch has no more bytes than Security Hub takes.
func TestBatches(t *testing.T) {
	list := many(100)
	for i := range list {
		list[i].ProductFields = map[string]string{"x": strings.Repeat("x", 200_000)}
	}
	all, tooLarge := batches(list)
	if len(all) != 4 || len(tooLarge) != 0 {
		t.Fatalf("%d batches, and %v in none; want 4", len(all), tooLarge)
	}
	for _, b := range all {
		size := 0
		for _, f := range b {
			size += len(f.ProductFields["x"])
		}
		if size > largestBatch {
			t.Errorf("a batch of %d findings has %d bytes", len(b), size)
		}
	}
}

// What the client sends is the finding as relight audit prints it: nothing is lost on the
// way into the types of the SDK. The test reads what arrives.
func TestWire(t *testing.T) {
	var sent struct{ Findings []any }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || r.Method+" "+r.URL.Path != "POST /findings/import" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		fmt.Fprintf(w, `{"FailedCount":0,"SuccessCount":%d,"FailedFindings":[]}`, len(sent.Findings))
	}))
	defer server.Close()
	c := &awsio.Cloud{
		Config: aws.Config{BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), HTTPClient: server.Client()},
		Want:   catalog.Desired{Deployment: catalog.Deployment{Account: account, HomeRegion: home}}, Now: time.Now,
	}
	list := finding.ToASFF(audittest.Broken())
	if imported, err := Import(t.Context(), c, home, list); err != nil || imported != len(list) {
		t.Fatalf("%d of %d, %v", imported, len(list), err)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var want []any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, sent.Findings); diff != "" {
		t.Errorf("(-finding +sent):\n%s", diff)
	}
}
