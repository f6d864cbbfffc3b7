// Command flowlogs is the Lambda function that handles the events of the kind
// flowlogs and restores what they may have harmed.
package main

import (
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/serve"
)

func main() { serve.Events(awsio.FlowLogs()) }
