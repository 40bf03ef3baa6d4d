// Korean texts of the pages of links in e-mails.
import { PRODUCT } from '../../product';
import type { UserErrorCode } from '../generated';
import type { Texts } from '.';

const day = new Intl.DateTimeFormat('ko', { dateStyle: 'long' });
const clock = new Intl.DateTimeFormat('ko', { timeStyle: 'short' });

/** Messages of the service are in English: these replace them. */
const problems: Partial<Record<UserErrorCode, string>> = {
  INVALID_INPUT: '입력한 내용이 올바르지 않습니다. 확인한 뒤 다시 입력해 주십시오.',
  WEAK_PASSWORD: '비밀번호가 너무 짧거나 길거나 쉽게 추측할 수 있습니다. 다른 비밀번호를 입력해 주십시오.',
  INVALID_CREDENTIALS: '이름 또는 비밀번호가 올바르지 않습니다.',
  INVALID_PROOF: '코드 또는 비밀번호가 올바르지 않습니다. 다시 입력해 주십시오.',
  CHALLENGE_EXPIRED: '이미 사용되었거나 만료된 코드 또는 링크입니다. 새로 요청해 주십시오.',
  EMAIL_TAKEN: '다른 계정에서 사용 중인 이메일 주소입니다.',
  EMAIL_NOT_VERIFIED: '이메일 주소가 아직 확인되지 않았습니다.',
  EMAIL_NOT_CONFIGURED: '이 서비스에서는 이메일을 보낼 수 없습니다. 관리자에게 문의해 주십시오.',
  RATE_LIMITED: '시도 횟수가 너무 많습니다.',
  OVERLOADED: '서비스가 혼잡합니다.',
  FORBIDDEN: '허용되지 않은 요청입니다.',
};

export const ko: Texts = {
  problems,
  hasMessages: false,
  otherProblem: '요청을 처리하지 못했습니다. 다시 시도해 주십시오.',
  wait: seconds => `${seconds}초 후에 다시 시도해 주십시오.`,
  attemptsLeft: number => `남은 시도 횟수: ${number}회`,
  unreachable: '서비스에 연결할 수 없습니다. 변경 여부를 확인하지 못했습니다. 잠시 후 다시 시도해 주십시오.',
  internal: '서비스에서 오류가 발생했습니다. 잠시 후 다시 시도해 주십시오.',

  closePage: '이 페이지를 닫으셔도 됩니다.',
  openConsole: '콘솔 열기',

  expired: {
    title: '만료된 링크입니다',
    text: '이미 사용되었거나 만료된 링크입니다.',
    revert: '이미 사용되었거나 만료된 링크입니다. 관리자에게 계정의 이메일 주소를 바로잡아 달라고 요청해 주십시오. 다른 사람이 비밀번호를 알 수 있다면 비밀번호를 재설정해 주십시오.',
    verify: '이미 사용되었거나 만료된 링크입니다. 이메일 로그인을 요청해 주십시오. 이메일로 로그인하면 주소도 함께 확인됩니다.',
  },
  incomplete: {
    title: '링크가 완전하지 않습니다',
    text: '이 페이지의 주소에 토큰이 없습니다. 이메일의 링크를 다시 열거나 링크 전체를 복사해 주십시오.',
  },

  challenge: {
    sent: to => (to ? `이 이름이나 주소를 사용하는 계정이 있으면 ${to}(으)로 코드가 담긴 이메일을 보냈습니다.` : '계정에 이메일 주소가 있으면 그 주소로 코드가 담긴 이메일을 보냈습니다.'),
    validUntil: time => `코드는 ${time}까지 유효합니다.`,
    proofs: {
      PASSKEY: { label: '패스키', hint: '브라우저에서 패스키를 요청합니다. 패스키는 이 기기, 휴대전화 또는 보안 키에 있을 수 있습니다.', instead: '패스키 사용하기' },
      TOTP: { label: '앱의 코드', hint: '인증 앱에 지금 표시된 숫자 6자리입니다.', missing: '인증 앱의 코드를 입력해 주십시오.', instead: '인증 앱 사용하기' },
      PASSWORD: { label: '비밀번호', missing: '비밀번호를 입력해 주십시오.', instead: '비밀번호 사용하기' },
      RECOVERY_CODE: { label: '복구 코드', hint: '저장해 둔 코드 중 하나입니다. 코드마다 한 번만 사용할 수 있습니다.', missing: '복구 코드를 입력해 주십시오.', instead: '복구 코드 사용하기' },
      EMAIL_CODE: { label: '코드', hint: '숫자 8자리입니다. 이메일의 링크를 열어도 됩니다.', missing: '이메일에 있는 코드를 입력해 주십시오.', instead: '이메일의 코드 사용하기' },
    },
    unsupported: '이 페이지에서 지원하지 않는 추가 인증이 필요한 계정입니다. 사용하시는 애플리케이션에서 로그인해 주십시오.',
    submit: '계속',
    busy: '확인 중…',
    until: time => `${clock.format(time)}까지 유효합니다.`,
    trustDevice: days => `${days}일 동안 이 기기 신뢰하기`,
    furtherTitle: '추가 인증',
    expired: '로그인 시간이 만료되었습니다. 처음부터 다시 시작해 주십시오.',
    tooMany: '잘못된 코드를 너무 여러 번 입력했습니다. 처음부터 다시 시작해 주십시오.',
    another: '이메일 다시 요청하기',
  },

  addApp: {
    title: '인증 앱 추가',
    why: '이 계정에는 추가 인증 수단이 필요하지만 아직 없습니다. 로그인하려면 인증 앱을 추가해 주십시오.',
    how: '인증 앱으로 QR 코드를 스캔한 다음 앱에 표시된 코드를 입력해 주십시오.',
    loading: '불러오는 중…',
    qrCode: '인증 앱에 등록할 QR 코드',
    open: '이 기기의 앱에서 열기',
    secretHow: '또는 앱에 다음 비밀 키를 입력해 주십시오.',
    secret: '비밀 키',
    copy: '복사',
    copied: '복사됨',
    code: '앱의 코드',
    codeHint: '숫자 6자리',
    missingCode: '앱에 표시된 코드를 입력해 주십시오.',
    submit: '앱 추가',
    busy: '확인 중…',
    again: '다시 시도',
  },
  addPasskey: {
    title: '패스키 추가',
    why: '이 계정에는 추가 인증 수단이 필요하지만 아직 없습니다. 로그인하려면 패스키를 추가해 주십시오.',
    how: '패스키는 이 기기, 휴대전화, 보안 키 또는 비밀번호 관리자에 저장되며 지문, 얼굴 또는 PIN으로 사용합니다. 추측하거나 가짜 페이지에 넘겨줄 수 없습니다.',
    name: '이름',
    nameHint: '선택 사항입니다. 패스키 목록에 표시됩니다.',
    submit: '패스키 추가',
    busy: '브라우저 대기 중…',
  },
  appInstead: '대신 인증 앱 추가하기',
  passkeyInstead: '대신 패스키 추가하기',
  noPasskey: {
    cancelled: '브라우저에서 패스키를 받지 못했습니다. 다시 시도하거나 다른 방법을 선택해 주십시오.',
    exists: '이 기기에 이미 이 계정의 패스키가 있습니다.',
    otherDomain: '이 주소에서는 이 서비스의 패스키를 사용할 수 없습니다.',
    failed: '브라우저에서 오류가 발생했습니다. 다시 시도하거나 다른 방법을 선택해 주십시오.',
  },
  recoveryCodes: {
    title: '복구 코드를 저장해 주십시오',
    how: '기기를 잃어버린 경우 코드 하나로 한 번 로그인할 수 있습니다. 지금만 표시되므로 다른 사람이 찾을 수 없는 곳에 보관해 주십시오.',
    heading: (username, at) => `${PRODUCT}: ${username}의 복구 코드, ${day.format(at)}`,
    copy: '복사',
    copied: '복사됨',
    download: '다운로드',
    file: username => `sallyport-recovery-codes-${username}.txt`,
    print: '인쇄',
    saved: '복구 코드를 저장했습니다',
    notSaved: '먼저 코드를 저장한 다음 확인란을 선택해 주십시오.',
    submit: '계속',
  },

  request: {
    username: '사용자 이름 또는 이메일 주소',
    missing: '사용자 이름 또는 이메일 주소를 입력해 주십시오.',
    submit: '이메일 보내기',
    busy: '보내는 중…',
  },

  verify: {
    title: '이메일 주소 확인',
    text: '이 링크가 담긴 이메일을 직접 요청하고 받으셨다면 버튼을 눌러 주십시오.',
    submit: '주소 확인',
    busy: '확인 중…',
    done: '이메일 주소가 확인되었습니다',
    doneText: '이제 계정에서 이 주소를 사용합니다.',
    ended: '가입할 때와 다른 브라우저에서 주소를 처음 확인했습니다. 따라서 기존 비밀번호가 삭제되고 모든 세션이 종료되었습니다. 새 비밀번호를 설정해 주십시오.',
    elsewhere: '이제 계정에서 이 주소를 사용합니다. 기존 비밀번호로 로그인할 수 없으면 새 비밀번호를 설정해 주십시오.',
    changed: '이메일 주소가 변경되었습니다',
  },

  reset: {
    title: '새 비밀번호 설정',
    request: '비밀번호 재설정',
    requestText: '새 비밀번호를 설정할 수 있는 코드와 링크를 이메일로 보내 드립니다.',
    password: '새 비밀번호',
    passwordHint: '8자 이상 256자 이하로, 쉽게 추측할 수 없어야 합니다.',
    repeat: '새 비밀번호 확인',
    missing: '새 비밀번호를 두 번 입력해 주십시오.',
    different: '두 비밀번호가 다릅니다. 같은 비밀번호를 두 번 입력해 주십시오.',
    submit: '비밀번호 설정',
    busy: '설정 중…',
    done: '새 비밀번호가 설정되었습니다',
    doneText: '다른 모든 세션이 종료되었습니다. 이 브라우저에서 로그인되었습니다.',
    furtherText: '새 비밀번호가 설정되었습니다. 로그인하려면 추가 인증을 마쳐 주십시오.',
    notLoggedIn: '모든 세션이 종료되었습니다. 로그인이 완료되지 않았으므로 사용하시는 애플리케이션에서 새 비밀번호로 로그인해 주십시오.',
    link: '비밀번호 재설정',
  },

  logIn: {
    title: '로그인',
    text: '직접 요청하신 이메일인 경우에만 로그인해 주십시오. 이 브라우저에서 로그인됩니다.',
    request: '이메일로 로그인',
    requestText: '비밀번호 없이 로그인할 수 있는 코드와 링크를 이메일로 보내 드립니다.',
    submit: '로그인',
    busy: '로그인 중…',
    done: '로그인되었습니다',
    doneText: '이 브라우저에서 로그인되었습니다.',
  },

  revert: {
    title: '이전 이메일 주소 유지',
    text: '계정의 이메일 주소를 이전 주소로 되돌리고 계정의 모든 세션을 종료합니다.',
    submit: '이전 주소로 되돌리기',
    busy: '되돌리는 중…',
    done: '이전 이메일 주소로 되돌렸습니다',
    doneText: ended => `${ended === 0 ? '종료할 세션이 없었습니다.' : `세션 ${ended}개를 종료했습니다.`} 다른 사람이 비밀번호를 알 수 있다면 비밀번호를 재설정해 주십시오.`,
  },
};
