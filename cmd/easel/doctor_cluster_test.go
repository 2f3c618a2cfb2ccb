package main

import (
	"net"
	"strings"
	"testing"

	"github.com/easelhq/easel/blob/blobtest"
)

func TestDoctorKnowsWhatAMemberNeeds(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	good := "s3://" + blobtest.Bucket + "/x?endpoint=" + blobtest.Fake(t, nil).Endpoint
	bad := "s3://" + blobtest.Bucket + "/x?endpoint=" + blobtest.Fake(t, blobtest.Unconditional).Endpoint
	for _, tc := range []struct {
		name, store, want string
		args              []string
		code              int
	}{
		{"all is well", good, "ok    cluster", []string{"--cluster-bind", "127.0.0.1:0"}, exitOK},
		{"port of gossip in use", good, "BAD   cluster  --cluster-bind", []string{"--cluster-bind", taken.Addr().String()}, exitFailed},
		{"port of gRPC in use", good, "BAD   cluster  --rpc-bind", []string{"--cluster-bind", "127.0.0.1:0", "--rpc-bind", taken.Addr().String()}, exitFailed},
		{"store without conditions", bad, "BAD   store    --store", []string{"--cluster-bind", "127.0.0.1:0"}, exitFailed},
		{"the same for one node", bad, "ok    store", nil, exitOK},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := env{"AWS_ACCESS_KEY_ID": blobtest.AccessKey, "AWS_SECRET_ACCESS_KEY": blobtest.SecretKey}
			args := append([]string{"doctor", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--store", tc.store, "--jwt-secret", strings.Repeat("x", 32)}, tc.args...)
			code, out, errs := easelCommand(t, e, args...)
			if code != tc.code || !strings.Contains(out, tc.want) {
				t.Errorf("exit %d, want %d and %q in\n%s%s", code, tc.code, tc.want, out, errs)
			}
		})
	}
}
