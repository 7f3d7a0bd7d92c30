<?php
// The CMS side of the shared token: the read-only Verify of J!Blesta, written from what is known of it.
header('Content-Type: application/json');
function fail($text) { echo json_encode(['result' => 'error', 'error' => $text]); exit; }
$token = getenv('REDIRECT_BRIDGE_TOKEN') ?: getenv('BRIDGE_TOKEN');
$call = $_GET['jblesta'] ?? '';
$given = $_GET['apisignature'] ?? '';
$header = $_SERVER['HTTP_JBLESTAREQUESTSIGNATURE'] ?? '';
if (urldecode($header) !== $given && $header !== $given) fail('Signatures do not match');
$time = $_GET['apitimestamp'] ?? '0';
$url = 'http://' . $_SERVER['HTTP_HOST'] . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) . "?jblesta=$call&apitimestamp=$time";
$built = base64_encode(hash_hmac('sha256', $url, $token, true));
if (!hash_equals($built, $given)) fail('Built signature does not match');
if (abs(time() - (int) $time) > 45) fail('Request is old');
if (!preg_match('#/Verify$#', $call)) fail("API Method $call is unknown");
echo json_encode(['result' => 'success', 'data' => 'pong']);
