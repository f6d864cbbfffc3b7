package page

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/audittest"
)

var browser = flag.Bool("browser", false, "open the page in Chromium too: on the screens of a desk and a phone, light and dark")

// measure.html opens page.html in frames of two widths and sends what it finds.
//
//go:embed testdata/measure.html
var measure []byte

// A sight is what a browser shows of a page at one width.
type sight struct {
	Width      int
	Title      string
	Overflow   []string // elements that are wider than the page, outside of what scrolls
	Faint      []string // texts with a contrast below 4.5
	Dark       bool
	Active     int // elements that load or run something
	Loaded     int // resources
	Totals     map[audit.Status]int
	Frameworks map[string]map[audit.Status]int
	VPCs       map[string]map[audit.Status]int
	Findings   map[audit.Status]int // checks of the findings
	Passed     int
	Matrix     map[string]int // cells that are not empty, by control
}

// TestBrowser opens the page from a file, without a network, in Chromium: its numbers
// are the report's, nothing is wider than the screen, and every text can be read.
func TestBrowser(t *testing.T) {
	if !*browser {
		t.Log("without -browser, only TestPage checks the page")
		return
	}
	chromium := find(t)
	for name, rep := range map[string]audit.Report{
		"healthy": audittest.Healthy(), "broken": audittest.Broken(), "many VPCs": audittest.Many(200),
	} {
		for scheme, value := range map[string]string{"dark": "0", "light": "1"} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				dir := t.TempDir()
				write(t, filepath.Join(dir, "page.html"), []byte(rendered(t, rep)))
				write(t, filepath.Join(dir, "measure.html"), measure)
				for i, got := range open(t, chromium, dir, value) {
					want := wanted(rep)
					want.Width, want.Dark = []int{1280, 375}[i], scheme == "dark"
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%d px (-want +got): %s", want.Width, diff)
					}
				}
			})
		}
	}
}

// wanted returns what a browser shows of a report, but for the width.
func wanted(rep audit.Report) sight {
	raw, _ := json.Marshal(rep) // the numbers are those of the JSON
	var doc struct {
		Account    string
		Time       string
		Totals     map[audit.Status]int
		Frameworks []struct {
			ID     string
			Totals map[audit.Status]int
		}
		Checks []struct {
			Control, Region string
			Status          audit.Status
			Requirements    map[string][]string
		}
	}
	_ = json.Unmarshal(raw, &doc)
	full := func(some map[audit.Status]int) map[audit.Status]int {
		all := map[audit.Status]int{}
		for _, s := range statuses {
			all[s] = some[s]
		}
		return all
	}
	want := sight{
		Title: "Audit of account " + doc.Account + ", " + doc.Time[:10], Totals: full(doc.Totals), Passed: doc.Totals[audit.Pass],
		Frameworks: map[string]map[audit.Status]int{}, VPCs: map[string]map[audit.Status]int{}, Findings: map[audit.Status]int{}, Matrix: map[string]int{},
	}
	for _, f := range doc.Frameworks {
		want.Frameworks[f.ID] = full(f.Totals)
	}
	cells := map[[2]string]bool{}
	for _, c := range doc.Checks {
		if c.Status == audit.Fail || c.Status == audit.Unknown {
			want.Findings[c.Status]++
		}
		for id := range c.Requirements {
			if cell := [2]string{c.Control, id}; !cells[cell] {
				cells[cell] = true
				want.Matrix[c.Control]++
			}
		}
		if c.Control == "vpc-flow-logs" {
			if want.VPCs[c.Region] == nil {
				want.VPCs[c.Region] = full(nil)
			}
			want.VPCs[c.Region][c.Status]++
		}
	}
	return want
}

// open opens measure.html and returns what it saw, one for each width. It gets the result
// as a request of the browser: not every Chromium prints its document.
func open(t *testing.T, chromium, dir, scheme string) (sights []sight) {
	t.Helper()
	result := make(chan []byte, 1)
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			result <- body
		}
	}))
	defer to.Close()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, chromium,
		"--headless=new", "--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--proxy-server=127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", // no network
		"--allow-file-access-from-files", // so that measure.html may read the frames
		"--blink-settings=preferredColorScheme="+scheme, "--window-size=1400,1000",
		"file://"+filepath.Join(dir, "measure.html")+"?to="+to.URL)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stop(); _ = cmd.Wait() }() // it was stopped
	select {
	case body := <-result:
		if err := json.Unmarshal(body, &sights); err != nil || len(sights) != 2 {
			t.Fatalf("%v: %s", err, body)
		}
	case <-ctx.Done():
		stop()
		_ = cmd.Wait()
		t.Fatalf("%s measured nothing; if it may not read %s, as one from a snap, set CHROME to the path of another: %s", chromium, dir, stderr.String())
	}
	return sights
}

// find returns a Chromium: $CHROME, one of the system, or the one that npm installs.
func find(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROME"), "google-chrome", "chromium", "chromium-browser", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if found, err := exec.LookPath(name); name != "" && err == nil {
			return found
		}
	}
	npm := exec.CommandContext(t.Context(), "node", "unpack.mjs")
	npm.Dir = "testdata"
	npm.Env = append(os.Environ(), "AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x") // so that it unpacks its libraries too
	out, err := npm.Output()
	file, libraries, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || file == "" {
		t.Fatalf("no Chromium: run make chromium, install one (Debian: apt-get install chromium), or set CHROME to its path (%v)", err)
	}
	t.Setenv("LD_LIBRARY_PATH", libraries)
	return file
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func rendered(t *testing.T, rep audit.Report) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, rep); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
